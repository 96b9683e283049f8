import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of all files below a folder that may be changing under us; links are not followed. */
export async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  const folders = [folder];
  for (let path = folders.pop(); path !== undefined; path = folders.pop()) {
    const listing = await opendir(path).catch(ignoreAbsent);
    if (!listing) continue;
    for await (const entry of listing) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) folders.push(child);
      else bytes += (await lstat(child).catch(ignoreAbsent))?.size ?? 0;
    }
  }
  return bytes;
}

function ignoreAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}

/** The least time between two looks; a folder that takes long to walk is walked a tenth of the time. */
const intervalMs = 200;

/**
 * Looks at a folder's size until `signal` ends it, and calls `onExceeded` once it is larger than `maxBytes`.
 * @returns ends with the watch
 */
export async function watchFolderBytes(
  folder: string,
  maxBytes: number,
  onExceeded: () => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const startedAt = performance.now();
    if ((await folderBytes(folder)) > maxBytes) {
      onExceeded();
      return;
    }
    await pause(Math.max(intervalMs, (performance.now() - startedAt) * 9), signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
