import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ParseLimits } from '@semantic-memory/shared/ports/parser';
import type { ParseContext } from '../format-parser.ts';

export const generousLimits: ParseLimits = {
  maxBytes: 1e8,
  maxPages: 50,
  maxInflatedBytes: 2e7,
  maxImagePixels: 1e6,
};

/** What a format parser is given besides the file. */
export function contextOf(mediaType: string, options: Partial<ParseContext> = {}): ParseContext {
  return { mediaType, declaredMediaType: undefined, limits: generousLimits, progress: () => {}, ...options };
}

/** Calls `use` with the path of a file that holds this, and removes it. */
export async function withFile<Result>(
  content: string | Uint8Array,
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'format-test-'));
  try {
    const path = join(directory, 'document');
    await writeFile(path, content);
    return await use(path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
