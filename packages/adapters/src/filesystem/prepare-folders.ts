import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isAbsent } from './file-errors.ts';

/** Longer than any upload pauses: what nobody has touched for this long belongs to a process that was killed. */
const leftoverAfterMs = 60 * 60 * 1000;

/** Makes the store's folders, and removes what killed processes have left in the temporary one. */
export async function prepareFolders(root: string, temporary: string): Promise<void> {
  const made = await mkdir(temporary, { recursive: true, mode: 0o700 });
  if (made !== undefined) {
    for (let path = temporary; path !== dirname(made); path = dirname(path)) await syncFolder(dirname(path));
  } else {
    await syncFolder(root);
  }
  await removeLeftovers(temporary, Date.now() - leftoverAfterMs);
}

async function removeLeftovers(temporary: string, before: number): Promise<void> {
  for (const name of await readdir(temporary)) {
    const path = join(temporary, name);
    try {
      // ctime moves with every write, and with the rename that brought a folder here.
      if ((await stat(path)).ctimeMs < before) await rm(path, { recursive: true, force: true });
    } catch (error) {
      // Another process starts at the same time and was faster, or the file has just got its name.
      if (!isAbsent(error)) throw error;
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
