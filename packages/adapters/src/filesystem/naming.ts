import { linkSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Directories } from './directories.ts';
import { codeOf, fileFailure, isAbsent } from './file-errors.ts';

/** How often a name's folder is made anew where deletes keep taking it away. */
const maxAttempts = 5;

/** Ways in which a file that is complete and synced gets the name that others know it by, durably and in one step. */
export interface Naming {
  /** Takes the name over from whatever had it. */
  moveTo(path: string): (from: string) => Promise<void>;
  /** As `moveTo`; a power cut may undo it. */
  nameSoon(path: string): (from: string) => Promise<void>;
  /** False, with nothing changed, where the name is taken. */
  moveIfAbsent(path: string): (from: string) => Promise<boolean>;
  /** A second name for the same file, taken over from whatever had it. Written blobs are never changed in place. */
  linkTo(path: string): (from: string) => Promise<void>;
}

/** @param temporaryPath gives a new path in the folder for what is not complete yet */
export function createNaming(directories: Directories, temporaryPath: () => string): Naming {
  /** Does what needs the folder of `path`; makes it anew where a delete took it away in between. */
  async function inFolder(path: string, act: () => void, isDurable = true): Promise<void> {
    const folder = dirname(path);
    for (let attempt = 0; ; attempt += 1) {
      try {
        // Most folders are there, made by the process that accepted the document.
        if (attempt > 0) await directories.ensure(folder);
        act();
        break;
      } catch (error) {
        if (codeOf(error) !== 'ENOENT' || attempt === maxAttempts) throw error;
        if (attempt > 0) directories.forget(folder);
      }
    }
    if (!isDurable) return;
    try {
      await directories.sync(folder);
    } catch (error) {
      // A folder that is gone by now was deleted after our write, and the blob with it.
      if (!isAbsent(error)) throw fileFailure(error);
    }
  }

  function linkOver(from: string, path: string): void {
    try {
      linkSync(from, path);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      const between = temporaryPath();
      linkSync(from, between);
      renameSync(between, path);
      // Renaming one name of a file to another of its names leaves both.
      rmSync(between, { force: true });
    }
  }

  return {
    moveTo: (path) => (from) => inFolder(path, () => renameSync(from, path)),
    nameSoon: (path) => (from) => inFolder(path, () => renameSync(from, path), false),
    linkTo: (path) => (from) => inFolder(path, () => linkOver(from, path)),
    moveIfAbsent: (path) => async (from) => {
      let absent = true;
      await inFolder(path, () => {
        try {
          linkSync(from, path);
        } catch (error) {
          // The other writer may not have synced yet, and our caller relies on what is there: the folder is synced too.
          if (codeOf(error) !== 'EEXIST') throw error;
          absent = false;
        }
      });
      if (absent) unlinkSync(from);
      return absent;
    },
  };
}
