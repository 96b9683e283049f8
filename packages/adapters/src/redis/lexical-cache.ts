import type { Postings } from '@semantic-memory/shared/ports/lexical-index';
import { bytesOf, type List, memoryFor, Replica } from './lexical-replica.ts';

/** What this process knows of a list when it asks for the rest. */
export interface KnownList {
  readonly bytes: number;
  readonly last: Buffer;
  readonly list: List | undefined;
}

type Answer = readonly [
  epoch: Buffer,
  ver: Buffer,
  count: Buffer,
  totalLength: Buffer,
  afresh: number,
  lengthsOrEntries: unknown,
  documents: readonly Buffer[],
  whole: number,
  sentWhole: readonly number[],
  ...tails: Buffer[],
];

/** What a read gave, with what is known of it besides. */
export interface KnownPostings extends Postings {
  /** As far as they were counted before. */
  readonly frequencies: readonly (number | undefined)[];
  /** Kept for the next who asks, as long as nothing changes. */
  remember(frequencies: readonly number[]): void;
  /** Equal where the documents and their places are. */
  readonly state: string;
}

/**
 * Copies of namespaces' postings. Those of namespaces that were not asked for the longest go first where all outgrow
 * `maxBytes`, then the lists that were not asked for the longest.
 * @param onDropped told of memory that is not used any more
 */
export function createLexicalCache(maxBytes: number, onDropped: (memory: ArrayBufferLike) => void) {
  const replicas = new Map<string, Replica>();
  let listBytes = 0;

  const replicaOf = (id: string): Replica => {
    const replica = replicas.get(id) ?? new Replica();
    replicas.delete(id);
    replicas.set(id, replica);
    return replica;
  };

  const drop = (replica: Replica, key: string, list: List) => {
    listBytes -= list.postings.byteLength;
    onDropped(list.postings.buffer);
    replica.lists.delete(key);
  };
  const dropAll = (replica: Replica) => {
    for (const [key, list] of replica.lists) drop(replica, key, list);
    onDropped(replica.lengths.buffer);
  };

  function grow(list: List, postings: number): void {
    const larger = new Uint32Array(memoryFor(Math.ceil(postings * 1.25) * 4));
    larger.set(list.postings.subarray(0, list.length));
    listBytes += larger.byteLength - list.postings.byteLength;
    onDropped(list.postings.buffer);
    list.postings = larger;
  }

  /** False where what is known has changed since it was asked for, so that the answer does not fit any more. */
  function append(replica: Replica, key: string, known: KnownList, tail: Buffer, isWhole: boolean): boolean {
    const current = replica.lists.get(key);
    if (current !== known.list) return false;
    if (isWhole && current) drop(replica, key, current);
    const list = replica.lists.get(key) ?? { postings: new Uint32Array(0), length: 0, last: Buffer.alloc(0) };
    // Another read may have brought a part of it.
    const overlap = isWhole ? 0 : list.length * 4 - known.bytes;
    replica.lists.delete(key);
    replica.lists.set(key, list);
    const fresh = tail.subarray(overlap);
    if (fresh.length === 0) return true;
    const before = list.length;
    const needed = before + fresh.length / 4;
    if (needed > list.postings.length) grow(list, needed);
    bytesOf(list.postings).set(fresh, before * 4);
    list.length = needed;
    list.last = Buffer.from(fresh.subarray(-4));
    sortFrom(list.postings.subarray(0, needed), before);
    return true;
  }

  function evict(current: string): void {
    let bytes = listBytes;
    for (const replica of replicas.values()) bytes += replica.baseBytes;
    for (const [id, replica] of replicas) {
      if (bytes <= maxBytes) return;
      const before = listBytes;
      if (id !== current) {
        dropAll(replica);
        replicas.delete(id);
        bytes -= replica.baseBytes + before - listBytes;
        continue;
      }
      for (const [key, list] of replica.lists) {
        if (bytes - (before - listBytes) <= maxBytes) return;
        drop(replica, key, list);
      }
    }
  }

  return {
    /** Everything is read anew. */
    forget(): void {
      for (const replica of replicas.values()) dropAll(replica);
      replicas.clear();
    },

    /** What a read has to say of what is here already. */
    known(id: string, lists: readonly string[]): { epoch: string; ver: number; lists: KnownList[] } {
      const replica = replicaOf(id);
      const known = lists.map((key): KnownList => {
        const list = replica.lists.get(key);
        return { bytes: (list?.length ?? 0) * 4, last: list?.last ?? Buffer.alloc(0), list };
      });
      return { epoch: replica.epoch, ver: replica.ver, lists: known };
    },

    /** Takes a read's answer in; undefined where it has to be asked again. */
    take(id: string, keys: readonly string[], known: readonly KnownList[], answer: unknown): KnownPostings | undefined {
      const [epochBytes, verBytes, count, totalLength, afresh, detail, documents, whole, sentWhole, ...tails] =
        answer as Answer;
      const replica = replicaOf(id);
      const epoch = String(epochBytes);
      const ver = Number(String(verBytes));
      if (afresh) {
        dropAll(replica);
        replica.startAfresh(detail as Buffer, documents);
        replica.epoch = epoch;
        replica.ver = ver;
      } else {
        if (replica.epoch !== epoch) return undefined;
        const { lengths } = replica;
        for (const [entryId, flat] of detail as [Buffer, Buffer[]][]) {
          const entryVer = Number.parseInt(String(entryId), 10);
          if (entryVer <= replica.ver) continue;
          if (entryVer !== replica.ver + 1) return undefined;
          replica.apply(fieldsOf(flat));
          replica.ver = entryVer;
        }
        if (replica.lengths !== lengths) onDropped(lengths.buffer);
      }
      if (ver >= replica.ver) {
        replica.count = Number(String(count));
        replica.totalLength = Number(String(totalLength));
      }
      const unknown: KnownList = { bytes: 0, last: Buffer.alloc(0), list: undefined };
      const anew = new Set(sentWhole);
      for (const [at, key] of keys.entries()) {
        const before = afresh ? unknown : known[at]!;
        if (!append(replica, key, before, tails[at]!, !afresh && anew.has(at))) return undefined;
      }
      const found = keys.map((key) => replica.lists.get(key)!);
      const lists = found.map((list) => list.postings.subarray(0, list.length));
      evict(id);
      const state = replica.ver;
      return {
        count: replica.count,
        totalLength: replica.totalLength,
        whole: whole === 1,
        lengths: replica.lengths.subarray(0, replica.used),
        lists,
        addressOf: (ordinal) => replica.addressOf(ordinal),
        rangeOf: (documentId) => replica.documents.get(documentId),
        state: `${epoch} ${state}`,
        frequencies: found.map((list) => {
          const counted = list.frequency;
          return counted && counted.ver === state && counted.length === list.length ? counted.value : undefined;
        }),
        remember(frequencies) {
          if (replica.ver !== state) return;
          for (const [at, list] of found.entries()) {
            const value = frequencies[at]!;
            const { length } = lists[at]!;
            if (length === list.length) list.frequency = { ver: state, length, value };
          }
        },
      };
    },
  };
}

/** Puts what was appended at `from` where it belongs: mostly it lies there already. */
function sortFrom(postings: Uint32Array, from: number): void {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = from > 0 ? postings[from - 1]! : 0;
  for (let at = from; at < postings.length; at += 1) {
    const posting = postings[at]!;
    if (posting < highest) lowest = Math.min(lowest, posting);
    else highest = posting;
  }
  if (lowest === Number.POSITIVE_INFINITY) return;
  // Writers at the same time have ordinals that lie close together, so little has to be looked at again.
  let start = from;
  while (start > 0 && postings[start - 1]! > lowest) start -= 1;
  postings.subarray(start).sort();
}

function fieldsOf(flat: readonly Buffer[]): Map<string, Buffer> {
  const fields = new Map<string, Buffer>();
  for (let at = 0; at + 1 < flat.length; at += 2) fields.set(String(flat[at]), flat[at + 1] as Buffer);
  return fields;
}
