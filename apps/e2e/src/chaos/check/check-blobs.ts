import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { RunState } from '../run-state.ts';
import { checkMarks } from './check-index.ts';

/** No file of the blob store holds text of a document that was deleted: file by file, as they lie there. */
export async function checkBlobs(state: RunState): Promise<number> {
  const root = state.fleet.blobDir;
  let files = 0;
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files += 1;
    checkMarks(state, await readFile(path, 'latin1'), `blob ${relative(root, path)}`);
  }
  return files;
}
