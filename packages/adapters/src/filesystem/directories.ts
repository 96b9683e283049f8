import { closeSync, fsync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { LRUCache } from 'lru-cache';

const syncFile = promisify(fsync);

export interface Directories {
  /** Makes a folder and its parents; durable with the next `sync`. Free of system calls where this process has seen it before. */
  ensure(path: string): void;
  /** Forgets that a folder, and all below, exist: they are made again when needed. */
  forget(path: string): void;
  /** Makes durable which names a folder holds, and the folder itself. */
  sync(path: string): Promise<void>;
}

/** About 2 MB of paths; a folder that was pushed out of the memory costs one mkdir more. */
const maxKnown = 10_000;

/** @param root exists */
export function createDirectories(root: string): Directories {
  const known = new LRUCache<string, true>({ max: maxKnown });
  /** Folders whose own names are not durable yet. */
  const naming = new Map<string, Promise<void>>();
  const syncs = new Map<string, { running: Promise<void>; next?: Promise<void> }>();

  async function startSync(path: string): Promise<void> {
    const folder = openSync(path, 'r');
    try {
      await syncFile(folder);
    } finally {
      closeSync(folder);
    }
  }

  /** Of a folder's names, and of its own. */
  async function syncWithName(path: string): Promise<void> {
    await Promise.all([sync(path), naming.get(path)]);
  }

  /** A sync that is under way may have begun before the caller's change, so callers share the one after it. */
  function sync(path: string): Promise<void> {
    const entry = syncs.get(path);
    if (!entry) {
      const running = startSync(path);
      syncs.set(path, { running });
      // Before anybody else hears of its end, and so of no sync but this one.
      const done = () => void syncs.delete(path);
      running.then(done, done);
      return running;
    }
    const again = () => restart(path);
    entry.next ??= entry.running.then(again, again);
    return entry.next;
  }

  /** Called when a sync has ended: one that has begun since then covers whoever waited. */
  function restart(path: string): Promise<void> {
    return syncs.get(path)?.running ?? sync(path);
  }

  function make(path: string): void {
    const firstMade = mkdirSync(path, { recursive: true, mode: 0o700 });
    // A folder that somebody else has just made is theirs to sync; journals write it before what we put inside.
    if (firstMade !== undefined) {
      const parents: string[] = [];
      for (let parent = dirname(path); ; parent = dirname(parent)) {
        parents.push(parent);
        if (parent === dirname(firstMade) || parent === root || parent === dirname(parent)) break;
      }
      // Not waited for here: whoever writes into the folder waits for it together with the folder's own sync.
      const named = Promise.all(parents.map(sync)).then(() => {});
      const done = () => {
        if (naming.get(path) === named) naming.delete(path);
      };
      naming.set(path, named);
      named.then(done, () => {
        done();
        known.delete(path);
      });
    }
    known.set(path, true);
  }

  return {
    sync: syncWithName,
    ensure(path) {
      if (!known.has(path)) make(path);
    },
    forget(path) {
      known.delete(path);
      const below = `${path}/`;
      for (const folder of known.keys()) if (folder.startsWith(below)) known.delete(folder);
    },
  };
}
