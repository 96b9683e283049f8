import type { ChunkAddress } from '@semantic-memory/shared/ports/lexical-index';

/** A list with room to grow. */
export interface List {
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

/** From this size on an array lies where a scoring thread can read it too, so that it is not copied for each query. */
const sharedBytes = 16 * 1024;

/** For an array of so many bytes. */
export const memoryFor = (bytes: number): ArrayBufferLike =>
  bytes >= sharedBytes ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);

/** Roughly what a document of a replica takes beside its lengths. */
const bytesPerDocument = 250;

/** One namespace as this process knows it. */
export class Replica {
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

  /** What it takes beside its lists, roughly. */
  get baseBytes(): number {
    return this.lengths.byteLength + this.documents.size * bytesPerDocument;
  }

  startAfresh(lengths: Buffer, documents: readonly Buffer[]): void {
    this.lengths = new Uint16Array(memoryFor(lengths.length + 2048));
    bytesOf(this.lengths).set(lengths);
    this.used = lengths.length / 2;
    this.documents.clear();
    this.lists.clear();
    for (let at = 0; at < documents.length; at += 2) {
      const [base, count, version] = String(documents[at + 1])
        .split(' ')
        .map(Number) as [number, number, number];
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
    bytesOf(this.lengths).set(fields.get('lengths')!, range.base * 2);
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

/** The same memory, byte by byte. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: Uint16Array | Uint32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);
