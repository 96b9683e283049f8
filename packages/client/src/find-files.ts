import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';

export interface FoundFile {
  /** Where to open it. */
  path: string;
  /** Its path below what was asked for, with `/`; the bare name where a file was asked for. */
  name: string;
}

/** Folders whose content nobody means when naming the folder around them. */
const skippedFolders = new Set(['node_modules']);

/**
 * The files at or below a path, by name in order; dot files and `node_modules` below it are left out, as are links,
 * which may lead round in a circle or out of the folder.
 *
 * @throws the file system's error where the path is not there.
 */
export async function findFiles(path: string): Promise<FoundFile[]> {
  const found = await stat(path);
  if (found.isFile()) return [{ path, name: basename(path) }];
  return found.isDirectory() ? filesBelow(path, '') : [];
}

async function filesBelow(folder: string, prefix: string): Promise<FoundFile[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files: FoundFile[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    const name = prefix + entry.name;
    if (entry.isFile()) files.push({ path, name });
    else if (entry.isDirectory() && !skippedFolders.has(entry.name))
      files.push(...(await filesBelow(path, `${name}/`)));
  }
  return files;
}

/** A path as a document id: the same path gives the same id, so that ingesting it again replaces. */
export function documentIdOf(name: string): string {
  return name.replace(/[^A-Za-z0-9._~:@-]+/g, '-').slice(-200) || 'document';
}
