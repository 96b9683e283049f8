import { endName, sha256Of, sumLine } from '../ingest/transfer/archive-layout.ts';
import type { ArchiveEntry, ReadArchive } from '../ports/archive.ts';

/** The files of an archive by name, in their order. */
export type ArchiveFiles = Map<string, Uint8Array>;

/** Holds what an export gives. */
export async function filesOf(entries: AsyncIterable<ArchiveEntry>): Promise<ArchiveFiles> {
  const files: ArchiveFiles = new Map();
  for await (const { name, body } of entries) {
    const parts: Uint8Array[] = [];
    for await (const part of body) parts.push(part);
    files.set(name, Buffer.concat(parts));
  }
  return files;
}

/** An archive without a format of its own: a line of JSON a file. */
export async function* packed(files: ArchiveFiles): AsyncGenerator<Uint8Array> {
  for (const [name, bytes] of files)
    yield Buffer.from(`${JSON.stringify({ name, content: Buffer.from(bytes).toString('base64') })}\n`);
}

/** Reads what `packed` gives. */
export const readPacked: ReadArchive = async function* (archive) {
  const parts: Uint8Array[] = [];
  for await (const part of archive) parts.push(part);
  for (const line of Buffer.concat(parts).toString().split('\n').slice(0, -1)) {
    const { name, content } = JSON.parse(line) as { name: string; content: string };
    const bytes = Buffer.from(content, 'base64');
    yield { name, bytes: bytes.byteLength, body: once(bytes) };
  }
};

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** The same files with checksums that fit them: of an archive that somebody has changed, and not by accident. */
export function withSums(files: ArchiveFiles): ArchiveFiles {
  const summed: ArchiveFiles = new Map();
  const folders: string[] = [];
  let lines = '';
  for (const [name, bytes] of files) {
    const file = name.slice(name.indexOf('/', name.indexOf('/') + 1) + 1);
    if (name === endName) {
      const end = { schemaVersion: 1, documents: folders.length, sha256: sha256Of(folders.join('')) };
      summed.set(name, Buffer.from(JSON.stringify(end)));
    } else if (file === 'SHA256SUMS') {
      summed.set(name, Buffer.from(lines));
      folders.push(lines);
      lines = '';
    } else {
      if (name.startsWith('documents/')) lines += sumLine(sha256Of(bytes), file);
      summed.set(name, bytes);
    }
  }
  return summed;
}
