import { createHash } from 'node:crypto';
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
  const files: FoundFile[] = [];
  if (found.isDirectory()) await addFilesBelow(path, '', files);
  return files;
}

async function addFilesBelow(folder: string, prefix: string, files: FoundFile[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    const name = prefix + entry.name;
    if (entry.isFile()) files.push({ path, name });
    else if (entry.isDirectory() && !skippedFolders.has(entry.name)) await addFilesBelow(path, `${name}/`, files);
  }
}

/**
 * A path as a document id: the same path gives the same id, so that ingesting it again replaces. A hash tells apart those
 * that are too long for an id or have letters that none may have.
 */
export function documentIdOf(name: string): string {
  const id = name.replace(/[^A-Za-z0-9._~:@-]+/g, '-') || 'document';
  if (id.length <= 200 && /^[\x20-\x7e]*$/.test(name)) return id;
  // File systems do not agree on how an accented letter is written.
  const hash = createHash('sha256').update(name.normalize('NFC')).digest('hex').slice(0, 16);
  return `${id.slice(-183)}-${hash}`;
}
