import { createHash } from 'node:crypto';
import { MemoryError } from '../../contracts/errors.ts';

/*
 * Where things lie in the archive of a namespace. Folders are numbered in the archive's order: no name in it is made
 * from what somebody called a document.
 */

export const headerName = 'export.json';
export const endName = 'end.json';

/** @param number from 1 */
export const folderOf = (number: number) => `documents/${String(number).padStart(8, '0')}/`;

/** The files of a document's folder, in this order. `sums` is what `sha256sum -c` takes, run in the folder. */
export const archiveFiles = {
  document: 'document.json',
  manifest: 'manifest.json',
  extraction: 'extraction.json',
  ocrPage: (number: number) => `pages/${number}.json`,
  chunks: 'chunks.json',
  /** Of the chunks from index `from` on, 32-bit floats, little-endian, a row each. */
  vectors: (from: number) => `vectors-${from}.f32`,
  /** Vectors of tokens, as `stored/token-file.ts` lays them out. Only where the document has them. */
  tokens: 'tokens.bin',
  original: 'original',
  sums: 'SHA256SUMS',
} as const;

/** One line of a checksum file. */
export const sumLine = (sha256: string, name: string) => `${sha256}  ${name}\n`;

export const sha256Of = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

/** @param where the file in the archive that is wrong */
export const badArchive = (where: string, what: string, cause?: unknown) =>
  new MemoryError('unprocessable', `The archive cannot be imported: ${where} ${what}.`, {
    hint: 'Nothing of it was imported. Export the namespace again, or ask whoever made the archive.',
    cause,
  });
