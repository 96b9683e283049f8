import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { temporaryFolder } from './blob-path.ts';
import { isAbsent } from './file-errors.ts';

/** Longer than any upload pauses: what nobody has touched for this long belongs to a process that was killed. */
const leftoverAfterMs = 60 * 60 * 1000;

/** What a name takes for one file, less what tells two writers of the same blob apart. */
const maxPurposeBytes = 255 - 1 - 36;

/**
 * The files that are not complete yet, or on their way out, each named after what it is to become or was: so that what a
 * killed process has left of a document goes with the document. Names that would get too long leave that out.
 */
export function createTemporaryFiles(root: string) {
  const folder = join(root, temporaryFolder);

  /** Told apart by a comma, which no encoded path has. */
  const purposeOf = (path: string) => encodeURIComponent(relative(root, path));

  async function removeWhere(isWanted: (purpose: string) => boolean): Promise<void> {
    for (const name of await readdir(folder)) {
      if (isWanted(name.slice(0, name.lastIndexOf(','))))
        await rm(join(folder, name), { recursive: true, force: true });
    }
  }

  return {
    folder,

    /** A new path for what will be, or was, at `path`. */
    pathFor(path: string): string {
      const purpose = purposeOf(path);
      return join(folder, `${purpose.length > maxPurposeBytes ? '' : purpose},${randomUUID()}`);
    },

    /** Removes what was to be at `path` or below it, from whatever process. */
    async removeOf(path: string): Promise<void> {
      const itself = purposeOf(path);
      const below = `${itself}${encodeURIComponent('/')}`;
      await removeWhere((purpose) => purpose === itself || purpose.startsWith(below));
    },

    /** Removes what was to be, or was, below `path`, where `isGone` says so of the rest of its path. */
    async removeBelow(path: string, isGone: (rest: string) => boolean): Promise<void> {
      const below = `${purposeOf(path)}${encodeURIComponent('/')}`;
      await removeWhere(
        (purpose) => purpose.startsWith(below) && isGone(decodeURIComponent(purpose.slice(below.length))),
      );
    },

    /**
     * True where the file of a writer at work was removed by `removeOf`: not where the disk is away, nor where the file is
     * old enough to have been taken for a leftover.
     * @param begun when it was made, by `Date.now`
     */
    wasRemoved: (temporaryPath: string, begun: number): boolean =>
      existsSync(folder) && !existsSync(temporaryPath) && Date.now() - begun < leftoverAfterMs,

    /** Removes what killed processes left an hour ago. */
    async removeLeftovers(): Promise<void> {
      const before = Date.now() - leftoverAfterMs;
      for (const name of await readdir(folder)) {
        const path = join(folder, name);
        try {
          // ctime moves with every write, and with the rename that brought a folder here.
          if ((await stat(path)).ctimeMs < before) await rm(path, { recursive: true, force: true });
        } catch (error) {
          // Another process starts at the same time and was faster, or the file has just got its name.
          if (!isAbsent(error)) throw error;
        }
      }
    },
  };
}
