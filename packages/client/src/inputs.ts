import type { ReindexRequest } from '@semantic-memory/shared/contracts/http/reindex';
import type { RagRequest } from '@semantic-memory/shared/contracts/model/answer';
import type { DocumentState } from '@semantic-memory/shared/contracts/model/document';
import type { Metadata, Priority } from '@semantic-memory/shared/contracts/model/ids';
import type { JobState } from '@semantic-memory/shared/contracts/model/job';
import type { SearchRequest } from '@semantic-memory/shared/contracts/model/search';

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

/** What may be said about a document besides its content. */
export interface IngestFields {
  documentId?: string | undefined;
  namespace?: string | undefined;
  title?: string | undefined;
  metadata?: Metadata | undefined;
  priority?: Priority | undefined;
  options?: Record<string, unknown> | undefined;
  callbackUrl?: string | undefined;
}

export interface IngestOptions extends IngestFields, CallOptions {
  /** Made up for each call unless given; give your own to make a repetition across processes safe. */
  idempotencyKey?: string | undefined;
}

export interface NamedFile {
  /** In Node, `openFile` of `file-source.ts` gives one that streams from disk. */
  blob: Blob;
  filename: string;
}

type Optional<T, Required extends keyof T> = Pick<T, Required> & Partial<Omit<T, Required>>;
export type SearchInput = Optional<SearchRequest, 'query'>;
export type RagInput = Omit<Optional<RagRequest, 'question'>, 'stream'>;

export interface PageQuery extends CallOptions {
  limit?: number | undefined;
  cursor?: string | undefined;
}
export interface NamespaceOptions extends CallOptions {
  /** `default` where a namespace is read, unless given. */
  namespace?: string | undefined;
}
export type ReindexInput = ReindexRequest & CallOptions;
export interface JobsQuery extends PageQuery {
  state?: JobState | undefined;
  documentId?: string | undefined;
  namespace?: string | undefined;
}
export interface DocumentsQuery extends PageQuery {
  namespace?: string | undefined;
  state?: DocumentState | undefined;
}
export interface VersionQuery extends CallOptions {
  version?: number | undefined;
}
