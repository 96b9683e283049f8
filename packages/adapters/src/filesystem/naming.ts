import { existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Directories } from './directories.ts';
import { codeOf, fileFailure, isAbsent } from './file-errors.ts';

/** How often a name's folder is made anew where deletes keep taking it away. */
const maxAttempts = 5;

/**
 * Gives the file at `from` a name, durably and in one step. False, with nothing changed, where the name is taken and not
 * to be taken over.
 * @throws what the file system reports: `ENOENT` where there is no file `from`
 */
export type Name = (from: string) => Promise<boolean>;

/** Ways in which a file that is complete and synced gets the name that others know it by. */
export interface Naming {
  /** Takes the name over from whatever had it. */
  moveTo(path: string): Name;
  /** As `moveTo`; a power cut may undo it, unless its folder was settled since. */
  nameSoon(path: string): Name;
  moveIfAbsent(path: string): Name;
  /** As `moveIfAbsent`; a power cut may undo it, unless its folder was settled since. */
  nameSoonIfAbsent(path: string): Name;
  /** A second name for the same file, taken over from whatever had it. Written blobs are never changed in place. */
  linkTo(path: string): Name;
  /** Makes all names in a folder durable. */
  settle(folder: string): Promise<void>;
}

/** @param temporaryPath gives a new path in the folder for what is not complete yet */
export function createNaming(directories: Directories, temporaryPath: (path: string) => string): Naming {
  /** Does what needs the folder of `path`; makes it anew where a delete took it away in between. */
  async function inFolder(from: string, path: string, act: () => boolean, isDurable = true): Promise<boolean> {
    const folder = dirname(path);
    let isNamed: boolean;
    for (let attempt = 0; ; attempt += 1) {
      try {
        // Most folders are there, made by the process that accepted the document.
        if (attempt > 0) directories.ensure(folder);
        isNamed = act();
        break;
      } catch (error) {
        if (codeOf(error) !== 'ENOENT' || attempt === maxAttempts || !existsSync(from)) throw error;
        if (attempt > 0) directories.forget(folder);
      }
    }
    if (isDurable) await settle(folder);
    return isNamed;
  }

  async function settle(folder: string): Promise<void> {
    try {
      await directories.sync(folder);
    } catch (error) {
      // A folder that is gone by now was deleted after our write, and the blob with it.
      if (!isAbsent(error)) throw fileFailure(error);
    }
  }

  function moveOver(from: string, path: string): true {
    renameSync(from, path);
    return true;
  }

  function linkOver(from: string, path: string): true {
    try {
      linkSync(from, path);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      const between = temporaryPath(path);
      linkSync(from, between);
      renameSync(between, path);
      // Renaming one name of a file to another of its names leaves both.
      rmSync(between, { force: true });
    }
    return true;
  }

  /** The other writer may not have synced yet, and our caller relies on what is there: the folder is synced in any case. */
  function moveWhereAbsent(from: string, path: string): boolean {
    try {
      linkSync(from, path);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    }
    rmSync(from, { force: true });
    return true;
  }

  return {
    moveTo: (path) => (from) => inFolder(from, path, () => moveOver(from, path)),
    nameSoon: (path) => (from) => inFolder(from, path, () => moveOver(from, path), false),
    linkTo: (path) => (from) => inFolder(from, path, () => linkOver(from, path)),
    moveIfAbsent: (path) => (from) => inFolder(from, path, () => moveWhereAbsent(from, path)),
    nameSoonIfAbsent: (path) => (from) => inFolder(from, path, () => moveWhereAbsent(from, path), false),
    settle,
  };
}
