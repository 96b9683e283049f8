import type { ChunkAddress, Postings } from '@semantic-memory/shared/ports/lexical-index';

/** A list with room to grow. */
interface List {
  postings: Uint32Array;
  length: number;
}

interface Range {
  readonly base: number;
  readonly count: number;
  readonly version: number;
  readonly documentId: string;
}

/** One namespace as this process knows it. */
class Replica {
  epoch = '-';
  ver = 0;
  count = 0;
  totalLength = 0;
  lengths = new Uint16Array(0);
  /** Ordinals that were ever active are below this. */
  used = 0;
  readonly documents = new Map<string, Range>();
  /** By base, ascending. */
  ranges: Range[] = [];
  readonly lists = new Map<string, List>();

  startAfresh(lengths: Buffer, documents: readonly Buffer[]): void {
    this.lengths = new Uint16Array(lengths.length / 2 + 1024);
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
      const larger = new Uint16Array(end * 2);
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
  ...tails: Buffer[],
];

/** Copies of namespaces' postings. Lists that were not asked for the longest go first where they outgrow `maxBytes`. */
export function createLexicalCache(maxBytes: number) {
  const replicas = new Map<string, Replica>();
  let bytes = 0;

  const replicaOf = (id: string): Replica => {
    const replica = replicas.get(id) ?? new Replica();
    replicas.delete(id);
    replicas.set(id, replica);
    return replica;
  };

  const drop = (replica: Replica, key: string) => {
    bytes -= replica.lists.get(key)?.postings.byteLength ?? 0;
    replica.lists.delete(key);
  };

  function append(replica: Replica, key: string, knownBytes: number, tail: Buffer): boolean {
    const list = replica.lists.get(key) ?? { postings: new Uint32Array(0), length: 0 };
    // Another read may have brought a part of it, or thrown away what this one builds on.
    const overlap = list.length * 4 - knownBytes;
    if (overlap < 0) return false;
    replica.lists.delete(key);
    replica.lists.set(key, list);
    const fresh = tail.subarray(overlap);
    if (fresh.length === 0) return true;
    const needed = list.length + fresh.length / 4;
    if (needed > list.postings.length) {
      const larger = new Uint32Array(Math.ceil(needed * 1.25));
      larger.set(list.postings.subarray(0, list.length));
      bytes += larger.byteLength - list.postings.byteLength;
      list.postings = larger;
    }
    bytesOf(list.postings).set(fresh, list.length * 4);
    list.length = needed;
    return true;
  }

  function evict(): void {
    for (const [id, replica] of replicas) {
      for (const key of replica.lists.keys()) {
        if (bytes <= maxBytes) return;
        drop(replica, key);
      }
      if (replica.lists.size === 0) replicas.delete(id);
    }
  }

  return {
    /** Everything is read anew. */
    forget(): void {
      replicas.clear();
      bytes = 0;
    },

    /** What a read has to say of what is here already. */
    known(id: string, lists: readonly string[]): { epoch: string; ver: number; bytes: number[] } {
      const replica = replicaOf(id);
      return {
        epoch: replica.epoch,
        ver: replica.ver,
        bytes: lists.map((key) => (replica.lists.get(key)?.length ?? 0) * 4),
      };
    },

    /** Takes a read's answer in; undefined where it has to be asked again. */
    take(id: string, keys: readonly string[], knownBytes: readonly number[], answer: unknown): Postings | undefined {
      const [epochBytes, verBytes, count, totalLength, afresh, detail, documents, whole, ...tails] = answer as Answer;
      const replica = replicaOf(id);
      const epoch = String(epochBytes);
      const ver = Number(String(verBytes));
      if (afresh) {
        for (const key of [...replica.lists.keys()]) drop(replica, key);
        replica.startAfresh(detail as Buffer, documents);
        replica.epoch = epoch;
        replica.ver = ver;
      } else {
        if (replica.epoch !== epoch) return undefined;
        for (const [entryId, flat] of detail as [Buffer, Buffer[]][]) {
          const entryVer = Number.parseInt(String(entryId), 10);
          if (entryVer <= replica.ver) continue;
          if (entryVer !== replica.ver + 1) return undefined;
          replica.apply(fieldsOf(flat));
          replica.ver = entryVer;
        }
      }
      if (ver >= replica.ver) {
        replica.count = Number(String(count));
        replica.totalLength = Number(String(totalLength));
      }
      for (const [at, key] of keys.entries()) {
        if (!append(replica, key, afresh ? 0 : (knownBytes[at] ?? 0), tails[at] ?? Buffer.alloc(0))) return undefined;
      }
      const lists = keys.map((key) => {
        const list = replica.lists.get(key);
        return list ? list.postings.subarray(0, list.length) : new Uint32Array(0);
      });
      evict();
      return {
        count: replica.count,
        totalLength: replica.totalLength,
        whole: whole === 1,
        lengths: replica.lengths.subarray(0, replica.used),
        lists,
        addressOf: (ordinal) => replica.addressOf(ordinal),
        rangeOf: (documentId) => replica.documents.get(documentId),
      };
    },
  };
}

function fieldsOf(flat: readonly Buffer[]): Map<string, Buffer> {
  const fields = new Map<string, Buffer>();
  for (let at = 0; at + 1 < flat.length; at += 2) fields.set(String(flat[at]), flat[at + 1] as Buffer);
  return fields;
}
