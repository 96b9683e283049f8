import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from './blob-path.ts';
import { isAbsent } from './file-errors.ts';

/** How many names one read of a folder brings. */
const bufferSize = 256;

/** The keys of all files below a folder, as they are found. What vanishes meanwhile, or was never there, is left out. */
export async function* keysBelow(folder: string, prefix: string): AsyncGenerator<string> {
  const folders: { path: string; prefix: string }[] = [{ path: folder, prefix }];
  for (let next = folders.pop(); next; next = folders.pop()) {
    const listing = await opendir(next.path, { bufferSize }).catch((error: unknown) => {
      if (isAbsent(error)) return undefined;
      throw error;
    });
    if (!listing) continue;
    for await (const entry of listing) {
      if (entry.isFile()) yield `${next.prefix}${entry.name}`;
      else if (entry.isDirectory() && !(next.prefix === '' && entry.name === temporaryFolder)) {
        folders.push({ path: join(next.path, entry.name), prefix: `${next.prefix}${entry.name}/` });
      }
    }
  }
}
