import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { releaseUnreleased } from './changelog.ts';
import { nextVersion } from './version.ts';
import { findVersions, versionConflicts, writeVersion } from './version-places.ts';

/** @throws Error naming each place where another version stands than in package.json */
export async function onlyVersion(root: string): Promise<{ version: string; places: number }> {
  const found = await findVersions(root);
  const conflicts = versionConflicts(found);
  if (conflicts.length > 0) throw new Error(`There is more than one version:\n${conflicts.join('\n')}`);
  return { version: found[0]?.version ?? '', places: found.length };
}

/**
 * Writes the next version in every place, and what is unreleased in CHANGELOG.md as its section.
 *
 * @param step `major`, `minor`, `patch`, or the version itself
 * @param date of the section, YYYY-MM-DD
 * @throws Error where the version is no next one, stands differently somewhere, or nothing has changed
 */
export async function bump(root: string, step: string, date: string) {
  const { version: current } = await onlyVersion(root);
  const next = nextVersion(current, step);
  const changelog = join(root, 'CHANGELOG.md');
  // The changelog first: where it cannot be written, nothing has changed.
  await writeFile(changelog, releaseUnreleased(await readFile(changelog, 'utf8'), next, date));
  return { current, next, files: ['CHANGELOG.md', ...(await writeVersion(root, next))] };
}
