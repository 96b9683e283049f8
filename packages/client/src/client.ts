import type { Batch } from '@semantic-memory/shared/contracts/http/batches';
import type { Ready } from '@semantic-memory/shared/contracts/http/health';
import type { Answer } from '@semantic-memory/shared/contracts/model/answer';
import type {
  DeleteReceipt,
  Document,
  DocumentChunk,
  DocumentVersion,
} from '@semantic-memory/shared/contracts/model/document';
import type { DryRun } from '@semantic-memory/shared/contracts/model/dry-run';
import type { Metadata } from '@semantic-memory/shared/contracts/model/ids';
import { isTerminal, type Job } from '@semantic-memory/shared/contracts/model/job';
import type { SearchResponse, Stats } from '@semantic-memory/shared/contracts/model/search';
import type { Source } from '@semantic-memory/shared/contracts/model/source';
import type { BatchAccepted, Health, Page, QueueState, RagEvent, ReconcileReport } from './answers.ts';
import { ApiError } from './api-error.ts';
import { fileForm, uploadMs } from './file-form.ts';
import type {
  CallOptions,
  DocumentsQuery,
  IngestFields,
  IngestOptions,
  JobsQuery,
  NamedFile,
  NamespaceOptions,
  PageQuery,
  RagInput,
  ReindexInput,
  SearchInput,
  VersionQuery,
} from './inputs.ts';
import { randomKey } from './random-key.ts';
import { streamRag } from './stream-rag.ts';
import { type ApiRequest, createTransport, type TransportOptions } from './transport.ts';
import { type WatchOptions, watchJob } from './watch-job.ts';

export type Client = ReturnType<typeof createClient>;

const root = '/api/v1/memory';
/** How much longer than others an answer may take that waits for a worker. */
const dryRunMs = 60_000;

/**
 * A typed client of the service for browsers and Node. Every call throws `ApiError`, or the signal's reason where it
 * is aborted. Reads are repeated after a passing fault, and ingests too, under one idempotency key a call; nothing
 * else is.
 */
export function createClient(options: TransportOptions) {
  const transport = createTransport(options);
  const json = <T>(request: ApiRequest): Promise<T> =>
    transport.send(request, (response) => response.json() as Promise<T>);
  const get = <T>(path: string, { signal, ...query }: CallOptions & object): Promise<T> =>
    json({ method: 'GET', path: `${root}${path}`, query, repeat: 'always', signal });
  /** A POST that only reads. */
  const ask = <T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> =>
    json({ method: 'POST', path: `${root}${path}`, json: body, repeat: 'refused', signal });
  const act = <T>(path: string, signal?: AbortSignal): Promise<T> =>
    json({ method: 'POST', path: `${root}${path}`, repeat: 'never', signal });
  const postIngest = (
    body: Pick<ApiRequest, 'json' | 'form' | 'extraMs'>,
    key: string | undefined,
    signal?: AbortSignal,
  ) => {
    const headers = { 'idempotency-key': key ?? randomKey() };
    return json<Job>({ method: 'POST', path: `${root}/ingest`, ...body, headers, repeat: 'always', signal });
  };
  const documentPath = (id: string, rest = '') => `/documents/${encodeURIComponent(id)}${rest}`;
  const jobPath = (id: string, rest = '') => `/jobs/${encodeURIComponent(id)}${rest}`;

  const ingest = (source: Source, { idempotencyKey, signal, ...fields }: IngestOptions = {}): Promise<Job> =>
    postIngest({ json: { source, ...fields } }, idempotencyKey, signal);
  const job = (jobId: string, { signal }: CallOptions = {}): Promise<Job> => get(jobPath(jobId), { signal });
  const watch = (jobId: string, watchOptions: WatchOptions = {}): AsyncGenerator<Job> =>
    watchJob(transport, `${root}${jobPath(jobId, '/events')}`, () => job(jobId, watchOptions), watchOptions);
  const documents = (query: DocumentsQuery = {}): Promise<Page<Document>> => get('/documents', query);

  return {
    /** A file; it is streamed, not read into memory, where the blob is. */
    ingestFile: (file: NamedFile, { idempotencyKey, signal, ...fields }: IngestOptions = {}): Promise<Job> =>
      postIngest({ form: fileForm([file], fields), extraMs: uploadMs([file]) }, idempotencyKey, signal),
    ingestText: (text: string, { mediaType, ...rest }: IngestOptions & { mediaType?: string | undefined } = {}) =>
      ingest({ type: 'text', text, ...(mediaType === undefined ? {} : { mediaType }) }, rest),
    ingest,
    /** What ingesting a file or a source would come to. Nothing is stored; what its job would end with is thrown. */
    dryRun: (what: NamedFile | Source, { signal, ...fields }: IngestFields & CallOptions = {}): Promise<DryRun> => {
      const body =
        'blob' in what
          ? { form: fileForm([what], fields), extraMs: uploadMs([what]) + dryRunMs }
          : { json: { source: what, ...fields }, extraMs: dryRunMs };
      const query = { dryRun: 'true' };
      return json<DryRun>({ method: 'POST', path: `${root}/ingest`, query, ...body, repeat: 'refused', signal });
    },
    /** Up to 1,000 items, each on its own: a bad one is a failed job beside the others. */
    ingestBatch: (items: ({ source: Source } & IngestFields)[], { signal }: CallOptions = {}): Promise<BatchAccepted> =>
      ask('/ingest/batch', { items }, signal),
    /** Many files in one request; the fields hold for all of them. */
    ingestFiles: (
      files: NamedFile[],
      { signal, ...fields }: Omit<IngestFields, 'documentId' | 'title'> & CallOptions = {},
    ): Promise<BatchAccepted> => {
      const form = fileForm(files, fields);
      const extraMs = uploadMs(files);
      return json({ method: 'POST', path: `${root}/ingest/batch`, form, extraMs, repeat: 'refused', signal });
    },
    batch: (batchId: string, { signal }: CallOptions = {}): Promise<Batch> =>
      get(`/ingest/batches/${encodeURIComponent(batchId)}`, { signal }),

    job,
    jobs: (query: JobsQuery = {}): Promise<Page<Job>> => get('/jobs', query),
    /** Every change of the job until it ends, over server-sent events. */
    watchJob: watch,
    /** The job at its end. `onChange` sees every change on the way. */
    async waitForJob(jobId: string, waitOptions: WatchOptions & { onChange?: (job: Job) => void } = {}): Promise<Job> {
      for await (const current of watch(jobId, waitOptions)) {
        waitOptions.onChange?.(current);
        if (isTerminal(current.state)) return current;
      }
      throw new ApiError({ status: 0, code: 'invalid_answer', message: `The events of job ${jobId} ended before it.` });
    },
    cancel: (jobId: string, { signal }: CallOptions = {}): Promise<Job> => act(jobPath(jobId, '/cancel'), signal),
    retry: (jobId: string, { signal }: CallOptions = {}): Promise<Job> => act(jobPath(jobId, '/retry'), signal),

    documents,
    /** All documents, page by page. */
    async *allDocuments(query: DocumentsQuery = {}): AsyncGenerator<Document> {
      for (let cursor = query.cursor; ; ) {
        const page = await documents({ ...query, cursor });
        yield* page.items;
        cursor = page.nextCursor;
        if (cursor === undefined) return;
      }
    },
    document: (id: string, { signal }: CallOptions = {}): Promise<Document> => get(documentPath(id), { signal }),
    /** The extraction as Markdown: the text that every span points into. */
    text: (id: string, { version, signal }: VersionQuery = {}): Promise<string> =>
      transport.send(
        { method: 'GET', path: `${root}${documentPath(id, '/text')}`, query: { version }, repeat: 'always', signal },
        (response) => response.text(),
      ),
    chunks: (id: string, query: VersionQuery & PageQuery = {}): Promise<Page<DocumentChunk>> =>
      get(documentPath(id, '/chunks'), query),
    /** The original bytes, with their media type. */
    content: (id: string, { version, signal }: VersionQuery = {}): Promise<Blob> =>
      transport.send(
        { method: 'GET', path: `${root}${documentPath(id, '/content')}`, query: { version }, repeat: 'always', signal },
        (response) => response.blob(),
      ),
    versions: (id: string, { signal }: CallOptions = {}): Promise<Page<DocumentVersion>> =>
      get(documentPath(id, '/versions'), { signal }),
    patch: (id: string, change: { title?: string; metadata?: Metadata }, { signal }: CallOptions = {}) =>
      json<Document>({ method: 'PATCH', path: `${root}${documentPath(id)}`, json: change, repeat: 'never', signal }),
    delete: (id: string, { signal }: CallOptions = {}): Promise<DeleteReceipt> =>
      json({ method: 'DELETE', path: `${root}${documentPath(id)}`, repeat: 'never', signal }),

    search: (request: SearchInput, { signal }: CallOptions = {}): Promise<SearchResponse> =>
      ask('/search', request, signal),
    searchBatch: (queries: SearchInput[], { signal }: CallOptions = {}): Promise<{ results: SearchResponse[] }> =>
      ask('/search/batch', { queries }, signal),
    rag: (request: RagInput, { signal }: CallOptions = {}): Promise<Answer> => ask('/rag', request, signal),
    streamRag: (request: RagInput, { signal }: CallOptions = {}): AsyncGenerator<RagEvent> =>
      streamRag(transport, {
        method: 'POST',
        path: `${root}/rag`,
        json: { ...request, stream: true },
        headers: { accept: 'text/event-stream' },
        repeat: 'never',
        signal,
      }),

    stats: ({ signal }: CallOptions = {}): Promise<Stats> => get('/stats', { signal }),
    /** Whether the service is ready, asked once: a service that is not ready is an answer, not a failure. */
    health: ({ signal }: CallOptions = {}): Promise<Health> =>
      transport.send(
        { method: 'GET', path: '/health/ready', accept: [503], repeat: 'never', signal },
        async (response) => ({
          ready: response.ok,
          body: (await response.json()) as Ready,
        }),
      ),
    admin: {
      queues: ({ signal }: CallOptions = {}): Promise<{ queues: QueueState[] }> => get('/admin/queues', { signal }),
      /** Jobs that failed by a fault of the service, newest first. */
      deadLetters: (query: PageQuery = {}): Promise<Page<Job>> => get('/admin/dead-letters', query),
      retryDeadLetter: (jobId: string, { signal }: CallOptions = {}): Promise<Job> =>
        act(`/admin/dead-letters/${encodeURIComponent(jobId)}/retry`, signal),
      reconcile: ({ signal }: CallOptions = {}): Promise<ReconcileReport> => act('/admin/reconcile', signal),
      /** Gives a namespace another embedding model: the job tells how both compare, and whether it was switched. */
      reindex: ({ signal, ...request }: ReindexInput): Promise<Job> => ask('/admin/reindex', request, signal),
      /** A namespace as a tar, as it comes: one that breaks off throws. */
      async export({ namespace, signal }: NamespaceOptions = {}): Promise<AsyncIterable<Uint8Array>> {
        const headers = { accept: 'application/x-tar' };
        const path = `${root}/admin/export`;
        return (await transport.open({ method: 'GET', path, query: { namespace }, headers, repeat: 'never', signal }))
          .bytes;
      },
      /** Takes in an exported namespace; it goes where it came from unless told otherwise. */
      import: (archive: NamedFile, { namespace, signal }: NamespaceOptions = {}): Promise<Job> =>
        json({
          method: 'POST',
          path: `${root}/admin/import`,
          query: { namespace },
          form: fileForm([archive], {}),
          extraMs: uploadMs([archive]),
          repeat: 'refused',
          signal,
        }),
    },
  };
}
