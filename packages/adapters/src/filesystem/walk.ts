import { type Dir, opendirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as othersTurn } from 'node:timers/promises';
import { temporaryFolder } from './blob-path.ts';
import { isAbsent } from './file-errors.ts';

/** How many names one read of a folder brings. */
const bufferSize = 256;

/**
 * The keys of all files below a folder, as they are found. What vanishes meanwhile, or was never there, is left out.
 * Folders are read at once, as small files are: a document has several, and four calls of the thread pool for each made
 * a walk over 3,000 documents take three times as long.
 * @param holdMs so long it keeps the event loop to itself
 */
export async function* keysBelow(folder: string, prefix: string, holdMs = 10): AsyncGenerator<string> {
  const folders: { path: string; prefix: string }[] = [{ path: folder, prefix }];
  let since = performance.now();
  for (let next = folders.pop(); next; next = folders.pop()) {
    const listing = openFolder(next.path);
    if (!listing) continue;
    try {
      for (let entry = listing.readSync(); entry; entry = listing.readSync()) {
        if (entry.isFile()) yield `${next.prefix}${entry.name}`;
        else if (entry.isDirectory() && !(next.prefix === '' && entry.name === temporaryFolder)) {
          folders.push({ path: join(next.path, entry.name), prefix: `${next.prefix}${entry.name}/` });
        }
        if (performance.now() - since > holdMs) {
          await othersTurn();
          since = performance.now();
        }
      }
    } finally {
      listing.closeSync();
    }
  }
}

function openFolder(path: string): Dir | undefined {
  try {
    return opendirSync(path, { bufferSize });
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
