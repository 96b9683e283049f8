import type { Scope } from '../contracts/model/ids.ts';

/** The words of one chunk. */
export interface LexicalEntry {
  /** How often each term occurs. */
  readonly terms: ReadonlyMap<string, number>;
  /** Words in all, at least 1. */
  readonly length: number;
}

/** A version's postings: written, and not to be seen before the ledger makes the version the active one. */
export interface PreparedPostings {
  /** Ordinal of its first chunk; the others follow. Never used before, and never again. */
  readonly base: number;
  /** Words of each chunk, from 1 to 65,535. */
  readonly lengths: readonly number[];
  /** Shows that the ordinals are still this writer's. */
  readonly claim: string;
  /** By which rules texts became terms. */
  readonly rules: number;
}

/** Where a chunk lies. */
export interface ChunkAddress {
  readonly documentId: string;
  readonly version: number;
  readonly index: number;
}

/**
 * What a query needs of a namespace's postings. Valid until the caller next waits for anything: later reads change it
 * in place.
 */
export interface Postings {
  /** Active chunks, and their words together. */
  readonly count: number;
  readonly totalLength: number;
  /**
   * False where there are active documents without postings, or with some by other rules than the present: after a
   * rebuild of the ledger, or a release that makes other terms, they come back one by one.
   */
  readonly whole: boolean;
  /** Words of the chunk with that ordinal; 0 where it is not of an active version. */
  readonly lengths: Uint16Array;
  /**
   * For each term that was asked for, in order: `ordinal << 5 | min(frequency, 31)`, ascending by ordinal but for what
   * writers at the same time have mixed.
   */
  readonly lists: readonly Uint32Array[];
  addressOf(ordinal: number): ChunkAddress | undefined;
  /** The ordinals of an active version's chunks, or undefined where it is not active. */
  rangeOf(documentId: string): { readonly base: number; readonly count: number; readonly version: number } | undefined;
}

/** A term of a query. */
export interface LexicalTerm {
  readonly term: string;
  /** How much its BM25 counts. */
  readonly weight: number;
  /** Counts as if at least half of the chunks had it. */
  readonly common: boolean;
}

export interface LexicalQuery {
  readonly terms: readonly LexicalTerm[];
  /** Of the best, at most so many. */
  readonly limit: number;
  /** Only these documents, in whatever version is active; all where absent. Not changed after it was given. */
  readonly documents?: ReadonlySet<string> | undefined;
  /** Only chunks that hold each of these terms, which are among the query's. */
  readonly required?: readonly string[] | undefined;
}

export interface LexicalHit extends ChunkAddress {
  readonly score: number;
}

/** What a namespace's postings say to a query, all of one moment. */
export interface LexicalRanking {
  /** Best first; of two alike the older one. */
  readonly hits: readonly LexicalHit[];
  /** In how many active chunks each of the terms is, in the query's order. */
  readonly frequencies: readonly number[];
  /** As in `Postings`. */
  readonly count: number;
  readonly totalLength: number;
  readonly whole: boolean;
}

/** The most often that a posting counts a term. */
export const maxFrequency = 31;

/**
 * Words to chunks, exact. Activation is the ledger's: `activateVersion` and `removeDocument` switch postings on and off
 * in the same atomic step as the version. All calls throw `dependency_unavailable` where the store is away.
 */
export interface LexicalIndex {
  /** Writes the postings of a version's chunks. What a crash leaves behind is never seen. */
  prepare(scope: Scope, chunks: readonly LexicalEntry[]): Promise<PreparedPostings>;
  /** Switches postings on for a version that is active without them. False where that version is not the active one. */
  restore(scope: Scope, documentId: string, version: number, prepared: PreparedPostings): Promise<boolean>;
  /** The versions whose postings are on, and by the present rules, by document. */
  versions(scope: Scope): Promise<Map<string, number>>;
  /**
   * Whether other than the active documents have postings on, by their number, or whether some may be by other rules:
   * cheap, and sure enough to look closer.
   */
  differs(scope: Scope): Promise<boolean>;
  /** Told by who has looked closer that all postings are by the present rules. */
  markCurrent(scope: Scope): Promise<void>;
  /** Chunks whose postings are on. */
  count(scope: Scope): Promise<number>;
  /** The postings of some terms, as of a moment not before the call: for whoever wants to look closely. */
  read(scope: Scope, terms: readonly string[]): Promise<Postings>;
  /** The best chunks by BM25 over the query's terms, as of a moment not before the call. */
  rank(scope: Scope, query: LexicalQuery): Promise<LexicalRanking>;
  /** What `rank` would give these chunks, in their order; 0 where nothing matches, or that version is not active. */
  score(scope: Scope, terms: readonly LexicalTerm[], chunks: readonly ChunkAddress[]): Promise<number[]>;
  /**
   * Does a bounded part of removing from the lists what can never be switched on (again), where it is worth it. Nobody
   * who reads or writes meanwhile notices. Safe at any time and from several processes; what a crash leaves is gone on
   * with by the next call.
   */
  compact(scopes: readonly Scope[], options?: CompactOptions): Promise<Compaction>;
  close(): Promise<void>;
}

export interface CompactOptions {
  /** Compacts also where little is to be gained. */
  readonly always?: boolean;
  /** Stops after the batch at work. */
  readonly signal?: AbortSignal | undefined;
}

/** What a part of a compaction did. */
export interface Compaction {
  /** Lists that were written anew. */
  readonly lists: number;
  /** Postings that are gone. */
  readonly dropped: number;
  /** False where the next call has more to do. */
  readonly done: boolean;
}
