import type { ChunkAddress, Postings } from '@semantic-memory/shared/ports/lexical-index';

/** A list with room to grow. */
interface List {
  /** Ascending, though writers at the same time may have appended in another order. */
  postings: Uint32Array;
  length: number;
  /** The last one as Redis has it. Postings of a list are unlike, so it says whether what came before is still the same. */
  last: Buffer;
  /** In how many active chunks the term is, as of a state of the replica and of the list. */
  frequency?: { readonly ver: number; readonly length: number; readonly value: number };
}

interface Range {
  readonly base: number;
  readonly count: number;
  readonly version: number;
  readonly documentId: string;
}

/** What this process knows of a list when it asks for the rest. */
export interface KnownList {
  readonly bytes: number;
  readonly last: Buffer;
  readonly list: List | undefined;
}

/** From this size on an array lies where a scoring thread can read it too, so that it is not copied for each query. */
const sharedBytes = 16 * 1024;

const memoryFor = (bytes: number): ArrayBufferLike =>
  bytes >= sharedBytes ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);

/** Roughly what a document of a replica takes beside its lengths. */
const bytesPerDocument = 250;

/** One namespace as this process knows it. */
class Replica {
  epoch = '-';
  ver = 0;
  count = 0;
  totalLength = 0;
  lengths: Uint16Array = new Uint16Array(0);
  /** Ordinals that were ever active are below this. */
  used = 0;
  readonly documents = new Map<string, Range>();
  /** By base, ascending. */
  ranges: Range[] = [];
  readonly lists = new Map<string, List>();

  startAfresh(lengths: Buffer, documents: readonly Buffer[]): void {
    this.lengths = new Uint16Array(memoryFor(lengths.length + 2048));
    bytesOf(this.lengths).set(lengths);
    this.used = lengths.length / 2;
    this.documents.clear();
    this.lists.clear();
    for (let at = 0; at < documents.length; at += 2) {
      const [base = 0, count = 0, version = 0] = String(documents[at + 1])
        .split(' ')
        .map(Number);
      const documentId = String(documents[at]);
      this.documents.set(documentId, { documentId, base, count, version });
    }
    this.ranges = [...this.documents.values()].sort((a, b) => a.base - b.base);
  }

  apply(fields: ReadonlyMap<string, Buffer>): void {
    const number = (name: string) => Number(String(fields.get(name)));
    const documentId = String(fields.get('id'));
    const old = this.documents.get(documentId);
    if (old && fields.get('off')?.length) {
      this.lengths.fill(0, old.base, old.base + old.count);
      this.documents.delete(documentId);
      this.ranges.splice(this.rangeIndex(old.base), 1);
    }
    if (!fields.get('on')?.length) return;
    const range = { documentId, base: number('on'), count: number('onCount'), version: number('version') };
    const end = range.base + range.count;
    if (end > this.lengths.length) {
      const larger = new Uint16Array(memoryFor(end * 4));
      larger.set(this.lengths);
      this.lengths = larger;
    }
    bytesOf(this.lengths).set(fields.get('lengths') ?? Buffer.alloc(0), range.base * 2);
    this.used = Math.max(this.used, end);
    this.documents.set(documentId, range);
    this.ranges.splice(this.rangeIndex(range.base), 0, range);
  }

  /** Where the first range that begins at `base` or later stands. */
  private rangeIndex(base: number): number {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ranges[middle]!.base < base) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  addressOf(ordinal: number): ChunkAddress | undefined {
    const range = this.ranges[this.rangeIndex(ordinal + 1) - 1];
    if (!range || ordinal >= range.base + range.count) return undefined;
    return { documentId: range.documentId, version: range.version, index: ordinal - range.base };
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint16Array | Uint32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

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
export function createLexicalCache(maxBytes: number, onDropped: (memory: ArrayBufferLike) => void = () => {}) {
  const replicas = new Map<string, Replica>();
  let listBytes = 0;

  const replicaOf = (id: string): Replica => {
    const replica = replicas.get(id) ?? new Replica();
    replicas.delete(id);
    replicas.set(id, replica);
    return replica;
  };

  const drop = (replica: Replica, key: string) => {
    const list = replica.lists.get(key);
    if (!list) return;
    listBytes -= list.postings.byteLength;
    onDropped(list.postings.buffer);
    replica.lists.delete(key);
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
    if (isWhole) drop(replica, key);
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
    const baseBytes = ({ lengths, documents }: Replica) => lengths.byteLength + documents.size * bytesPerDocument;
    let bytes = listBytes;
    for (const replica of replicas.values()) bytes += baseBytes(replica);
    for (const [id, replica] of replicas) {
      if (bytes <= maxBytes) return;
      const before = listBytes;
      if (id !== current) {
        for (const key of [...replica.lists.keys()]) drop(replica, key);
        onDropped(replica.lengths.buffer);
        replicas.delete(id);
        bytes -= baseBytes(replica) + before - listBytes;
        continue;
      }
      for (const key of [...replica.lists.keys()]) {
        if (bytes - (before - listBytes) <= maxBytes) return;
        drop(replica, key);
      }
    }
  }

  return {
    /** Everything is read anew. */
    forget(): void {
      for (const replica of replicas.values()) {
        for (const key of [...replica.lists.keys()]) drop(replica, key);
        onDropped(replica.lengths.buffer);
      }
      replicas.clear();
    },

    /** Of everything together, in bytes. */
    listBytes: () => listBytes,

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
        for (const key of [...replica.lists.keys()]) drop(replica, key);
        onDropped(replica.lengths.buffer);
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
        const before = afresh ? unknown : (known[at] ?? unknown);
        if (!append(replica, key, before, tails[at] ?? Buffer.alloc(0), !afresh && anew.has(at))) return undefined;
      }
      const found = keys.map((key) => replica.lists.get(key));
      const lists = found.map((list) => (list ? list.postings.subarray(0, list.length) : new Uint32Array(0)));
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
          const counted = list?.frequency;
          return counted && counted.ver === state && counted.length === list.length ? counted.value : undefined;
        }),
        remember(frequencies) {
          if (replica.ver !== state) return;
          for (const [at, list] of found.entries()) {
            const value = frequencies[at];
            const length = lists[at]?.length;
            if (list && value !== undefined && length === list.length) list.frequency = { ver: state, length, value };
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
