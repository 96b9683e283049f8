export interface TreeFile {
  readonly path: string;
  readonly bytes: number;
}

/** Regular files. 120000 is a link, 160000 a submodule: https://git-scm.com/docs/git-fast-import#_filemodify */
const fileModes = new Set(['100644', '100755', '100664']);

/**
 * Reads what `git ls-tree -r -l -z` says: `mode SP type SP id SP+ size TAB path NUL`. Links and submodules are left
 * out, and so are paths that are not UTF-8, which no document could be named after.
 */
export function readTree(listing: Buffer): TreeFile[] {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const files: TreeFile[] = [];
  for (let from = 0; from < listing.length; ) {
    const end = listing.indexOf(0, from);
    const entry = listing.subarray(from, end);
    from = end + 1;
    const tab = entry.indexOf('\t');
    const [mode, , , size] = entry.subarray(0, tab).toString('latin1').split(/ +/) as [string, string, string, string];
    if (!fileModes.has(mode)) continue;
    try {
      files.push({ path: decoder.decode(entry.subarray(tab + 1)), bytes: Number(size) });
    } catch {
      // Not UTF-8.
    }
  }
  return files;
}
