import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes the store's folder and the temporary one in it, durably. */
export async function prepareFolders(root: string, temporary: string): Promise<void> {
  const made = await mkdir(temporary, { recursive: true, mode: 0o700 });
  if (made !== undefined) {
    for (let path = temporary; path !== dirname(made); path = dirname(path)) await syncFolder(dirname(path));
  } else {
    await syncFolder(root);
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
