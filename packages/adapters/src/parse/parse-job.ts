import { readFile } from 'node:fs/promises';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { Extraction } from '@semantic-memory/shared/contracts/model/extraction';
import type { ParseInput } from '@semantic-memory/shared/ports/parser';
import type { JobHandler } from '../child/serve-jobs.ts';
import { detectType } from './detect-type.ts';
import type { FormatEntry } from './format-parser.ts';
import { encrypted, isEngineLimit, tooComplex } from './library-error.ts';
import { findFormat } from './registry.ts';

export interface ParseJob {
  readonly input: Omit<ParseInput, 'waiting'>;
  /** Set in the second job of a document that needs a child of its own. */
  readonly mediaType?: string;
}

/** An extraction, or what kind of document needs a child of its own. */
export type ParseReply = { readonly extraction: Extraction } | { readonly needsOwnChild: string };

/** What a parser child does: it detects a document's type and, where this child may, parses it. */
export function jobParser(entries: readonly FormatEntry[]): JobHandler {
  return async (job, progress): Promise<ParseReply> => {
    const { input, mediaType: given } = job as ParseJob;
    const mediaType = given ?? (await detectType(input.path, input));
    const entry = findFormat(entries, mediaType);
    if (!entry)
      throw (await isEncryptedOffice(input.path, mediaType))
        ? encrypted('Office document')
        : unsupported(entries, mediaType);
    if (entry.isolation === 'own' && !given) return { needsOwnChild: mediaType };
    const parse = await entry.load();
    const { declaredMediaType, limits } = input;
    try {
      return { extraction: await parse(input.path, { mediaType, declaredMediaType, limits, progress }) };
    } catch (error) {
      throw isEngineLimit(error) ? tooComplex(`${entry.name} document`, error) : error;
    }
  };
}

/** Office wraps an encrypted document in the container of its old formats, under this name in UTF-16. */
async function isEncryptedOffice(path: string, mediaType: string): Promise<boolean> {
  if (mediaType !== 'application/x-cfb') return false;
  return (await readFile(path)).includes(Buffer.from('EncryptedPackage', 'utf16le'));
}

function unsupported(entries: readonly FormatEntry[], mediaType: string): MemoryError {
  const supported = entries.map(({ name }) => name).join(', ');
  return new MemoryError('unsupported_type', `The document was recognised as ${mediaType}, which cannot be read.`, {
    hint: `Supported are ${supported}.`,
    details: { detected: mediaType },
  });
}
