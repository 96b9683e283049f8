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
}

export interface VectorHit extends Omit<VectorRecord, 'vector'> {
  /** Cosine of query and chunk. */
  readonly similarity: number;
}

/** One collection: the chunks of one tenant, namespace and embedding model. */
export interface CollectionKey {
  readonly tenant: string;
  readonly namespace: string;
  readonly model: string;
}

export interface VectorQuery {
  readonly vector: Float32Array;
  readonly limit: number;
  /** Only these documents. At most 1,000. */
  readonly documentIds?: readonly string[] | undefined;
  /** Leave these `documentId@version` pairs out. */
  readonly excludeVersions?: readonly string[] | undefined;
}

/**
 * Nearest neighbours by cosine. A collection that does not exist is empty, not an error; writing makes it.
 * All calls have a deadline and throw `dependency_unavailable` where the server is away.
 */
export interface VectorIndex {
  /** Adds the records that are not there yet and leaves the others. One writer a collection at a time; batches. */
  addMissing(key: CollectionKey, records: readonly VectorRecord[]): Promise<void>;
  /** Which of the ids are there. */
  present(key: CollectionKey, chunkIds: readonly string[]): Promise<Set<string>>;
  query(key: CollectionKey, query: VectorQuery): Promise<VectorHit[]>;
  count(key: CollectionKey): Promise<number>;
  /** How many records a document (or one of its versions) has. */
  countDocument(key: CollectionKey, documentId: string, version?: number): Promise<number>;
  /** Removes a document's records (or those of one version) and says how many there were. */
  removeDocument(key: CollectionKey, documentId: string, version?: number): Promise<number>;
  check(): Promise<void>;
}
