import type { MemoryError } from '../contracts/errors.ts';

/** What the index holds for a chunk; nothing in it can change while the version lives. */
export interface VectorRecord {
  readonly chunkId: string;
  readonly vector: Float32Array;
  readonly text: string;
  readonly documentId: string;
  readonly version: number;
  readonly index: number;
  readonly page?: number | undefined;
  readonly headings: readonly string[];
  readonly start: number;
  readonly end: number;
  /** The blank text between the chunk before and this one, where there is some and it joins the two. */
  readonly before?: string | undefined;
  /** When the version was the active one, for records of history only. */
  readonly active?: ActivePeriod | undefined;
}

/** A half-open period in milliseconds since 1970. */
export interface ActivePeriod {
  readonly from: number;
  readonly to: number;
}

export interface VectorHit extends Omit<VectorRecord, 'vector' | 'active'> {
  /** Cosine of query and chunk. */
  readonly similarity: number;
  /** The chunk's own, where the index had to read it: where `chunkIds` were asked for. */
  readonly vector?: Float32Array | undefined;
}

/** One collection: the chunks of one tenant, namespace and embedding model. */
export interface CollectionKey {
  readonly tenant: string;
  readonly namespace: string;
  readonly model: string;
  /** The collection beside it that holds versions which were replaced. */
  readonly history?: true;
}

/** Which of a document's records are meant: those that meet all of what is given. */
export interface RecordSelection {
  readonly version?: number | undefined;
  /** Of this version or older. */
  readonly upToVersion?: number | undefined;
  /** From this index of their version on. */
  readonly fromIndex?: number | undefined;
}

export interface VectorQuery {
  /** Absent only with `chunkIds`: those are read and compared with nothing, so that their similarity is 0. */
  readonly vector?: Float32Array | undefined;
  readonly limit: number;
  /** Only these documents. At most 1,000. */
  readonly documentIds?: readonly string[] | undefined;
  /** Only these chunks. At most 1,000. */
  readonly chunkIds?: readonly string[] | undefined;
  /** Leave these `documentId@version` pairs out. */
  readonly excludeVersions?: readonly string[] | undefined;
  /** Only records whose period of activity holds this moment, in milliseconds since 1970: for history. */
  readonly activeAt?: number | undefined;
  /** What the asker has of a chunk already: it is answered as given, and need not be read. Not with `chunkIds`. */
  readonly known?: ((chunkId: string) => Omit<VectorHit, 'similarity'> | undefined) | undefined;
}

/**
 * Nearest neighbours by cosine. A collection that does not exist is empty, not an error; writing makes it.
 * All calls have a deadline and throw `dependency_unavailable` where the server is away.
 */
export interface VectorIndex {
  /** Adds the records that are not there yet and leaves the others. One writer a collection at a time; batches. */
  addMissing(key: CollectionKey, records: readonly VectorRecord[]): Promise<void>;
  /** Writes the records in place of those with the same ids. Slower than adding. */
  replace(key: CollectionKey, records: readonly VectorRecord[]): Promise<void>;
  /** Which of the ids are there. */
  present(key: CollectionKey, chunkIds: readonly string[]): Promise<Set<string>>;
  query(key: CollectionKey, query: VectorQuery): Promise<VectorHit[]>;
  /** The vectors of those that are there (at most 1,000), as near to what was written as the index keeps them. */
  vectorsOf(key: CollectionKey, chunkIds: readonly string[]): Promise<Map<string, Float32Array>>;
  count(key: CollectionKey): Promise<number>;
  /** How many records a document has (or one of its versions, or a selection). */
  countDocument(key: CollectionKey, documentId: string, which?: number | RecordSelection): Promise<number>;
  /** Removes a document's records (or those of one version, or a selection) and says how many there were. */
  removeDocument(key: CollectionKey, documentId: string, which?: number | RecordSelection): Promise<number>;
  /**
   * Which versions have records in a collection, and how many each. Reads through the whole of it.
   * @returns by `documentId@version`
   */
  versions(key: CollectionKey): Promise<Map<string, IndexedVersion>>;
  /** Removes a collection with all that it holds. */
  removeCollection(key: CollectionKey): Promise<void>;
  check(): Promise<void>;
  /** The error that a call would get at once; undefined where it would be tried. */
  outage?(): MemoryError | undefined;
}

/** A version as far as the index has it. */
export interface IndexedVersion {
  readonly documentId: string;
  readonly version: number;
  readonly chunks: number;
}

/** A version's number alone means its records. */
export const selectionOf = (which: number | RecordSelection | undefined): RecordSelection =>
  typeof which === 'number' ? { version: which } : (which ?? {});
