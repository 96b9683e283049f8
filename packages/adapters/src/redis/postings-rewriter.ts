import type { Scope } from '@semantic-memory/shared/contracts/model/ids';
import { swapScript } from './compaction-scripts.ts';
import { type LedgerAccess, readLedger, runLedgerScript } from './gate.ts';
import { exactBytes } from './lexical-scripts.ts';
import { keptOf } from './live-ordinals.ts';

/** Keys that are read in one go: lists may be long, a shelf has some ten terms. */
const keysAtOnce = 32;
/** Terms whose postings one script writes: it keeps the server for less than a millisecond. */
const termsPerScript = 128;

/** What is known of a namespace when its postings are written anew. */
export interface Snapshot {
  readonly serverStart: string;
  readonly epoch: string;
  /** 1 by ordinal where it is active or may become so. */
  readonly live: Uint8Array;
}

/** What was done: of so many terms postings were written, and so many postings are gone. */
export interface Rewritten {
  readonly lists: number;
  readonly dropped: number;
}

/** Redis came back without its last writes, or was emptied: what was read says nothing any more. */
export class StoreChanged extends Error {}

/** The postings of a term as they were read. */
interface Read {
  readonly key: string;
  /** In a shelf; '' for a list. */
  readonly field: string;
  readonly bytes: Buffer;
}

/**
 * Writes lists and shelves of a namespace anew without what is not live. What others append meanwhile is kept.
 * @param grown whether long lists are written anew also where nothing is to be dropped: they have room to spare
 * @throws StoreChanged
 */
export function createRewriter(access: LedgerAccess) {
  const { redis } = access;

  const readLists = async (lists: readonly string[]): Promise<Read[]> => {
    const contents = await readLedger(access, () => Promise.all(lists.map((list) => redis.getBuffer(list))));
    return lists.flatMap((key, at) => ({ key, field: '', bytes: contents[at] ?? Buffer.alloc(0) }));
  };

  const readShelves = async (shelves: readonly string[]): Promise<Read[]> => {
    const contents = await readLedger(access, () => Promise.all(shelves.map((shelf) => redis.hgetallBuffer(shelf))));
    return shelves.flatMap((key, at) =>
      Object.entries(contents[at]!).map(([field, bytes]): Read => ({ key, field, bytes })),
    );
  };

  async function swap(scope: Scope, snapshot: Snapshot, swaps: readonly (Read & { kept: Buffer })[]) {
    const { head } = access.keys.namespace(scope);
    const swapKeys = swaps.map(({ key }) => key);
    const args = swaps.flatMap(({ field, bytes, kept }) => [field, bytes.length, bytes.subarray(-4), kept]);
    const same = [snapshot.serverStart, snapshot.epoch];
    const answer = await runLedgerScript(access, swapScript, [head, ...swapKeys], [...same, ...args]);
    const [written, freed] = answer as [number, number];
    if (written === -1) throw new StoreChanged();
    return { lists: written, dropped: freed / 4 };
  }

  return async function rewrite(
    { scope, snapshot, grown }: { readonly scope: Scope; readonly snapshot: Snapshot; readonly grown: boolean },
    kind: 'lists' | 'shelves',
    keys: readonly string[],
  ): Promise<Rewritten> {
    let [lists, dropped] = [0, 0];
    for (let from = 0; from < keys.length; from += keysAtOnce) {
      const some = keys.slice(from, from + keysAtOnce);
      const found = await (kind === 'lists' ? readLists(some) : readShelves(some));
      const swaps = found.flatMap((read) => {
        const postings = new Uint32Array(copied(read.bytes));
        const kept = keptOf(postings, snapshot.live);
        const hasRoom = grown && read.bytes.length >= exactBytes;
        return kept.length < postings.length || hasRoom ? [{ ...read, kept: Buffer.from(kept.buffer) }] : [];
      });
      for (let at = 0; at < swaps.length; at += termsPerScript) {
        const done = await swap(scope, snapshot, swaps.slice(at, at + termsPerScript));
        lists += done.lists;
        dropped += done.dropped;
      }
    }
    return { lists, dropped };
  };
}

/** In memory of its own, at the place that numbers of several bytes need. */
export const copied = (bytes: Buffer): ArrayBuffer => new Uint8Array(bytes).buffer;
