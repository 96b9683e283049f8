import type { ReadArchive } from '../ports/archive.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { Embedder, Tokenizer } from '../ports/embedder.ts';
import type { AllowedBucket, GitFetcher, ObjectFetcher, WebFetcher } from '../ports/fetcher.ts';
import type { JobQueue } from '../ports/job-queue.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { LexicalIndex } from '../ports/lexical-index.ts';
import type { Logger } from '../ports/logger.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { OcrEngine } from '../ports/ocr.ts';
import type { ParseLimits, Parser } from '../ports/parser.ts';
import type { Quotas } from '../ports/quotas.ts';
import type { VectorIndex } from '../ports/vector-index.ts';
import type { IndexWriter } from './index/index-writer.ts';

/** What every part of ingest stands on. */
export interface IngestDeps {
  readonly blobs: BlobStore;
  readonly ledger: Ledger;
  readonly queue: JobQueue;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** How long jobs can be asked for once their version is gone, and batches at all. */
  readonly jobRetentionMs: number;
  /** Absent where no tenant is limited. */
  readonly quotas?: Quotas | undefined;
}

/** What the steps of the flow use beyond that. A tier builds what its steps need; all of it starts on first use. */
export interface StepDeps extends IngestDeps {
  /** The model that new namespaces get. */
  readonly embeddingModel: string;
  readonly web: WebFetcher;
  readonly git: GitFetcher;
  readonly objects: ObjectFetcher;
  /** What tenants may have read by `objects`; empty where an operator has allowed nothing. */
  readonly allowedBuckets: readonly AllowedBucket[];
  readonly readArchive: ReadArchive;
  readonly parser: Parser;
  readonly ocr: OcrEngine;
  readonly tokenizer: Tokenizer;
  /** @throws MemoryError `dependency_unavailable` where this process was not given that model. */
  readonly embedderFor: (model: string) => Embedder;
  readonly vectors: VectorIndex;
  readonly indexWriter: IndexWriter;
  readonly lexical: LexicalIndex;
  readonly limits: IngestLimits;
}

export interface IngestLimits extends ParseLimits {
  /** The longest that one page may take in parsing or OCR. */
  readonly pageMs: number;
  /** The longest that fetching a source may take. */
  readonly fetchMs: number;
  /** The most objects that one prefix of a bucket may bring, and what they may have together. */
  readonly maxObjects: number;
  readonly maxObjectsBytes: number;
}
