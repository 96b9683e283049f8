/** One request of the collection. Names in double braces are variables of the collection or the environment. */
export interface Step {
  /** `operationId` of the OpenAPI document. */
  readonly operation: string;
  /** The route's own summary unless given. */
  readonly name?: string;
  /** The folder; the route's tag unless given. */
  readonly folder?: string;
  readonly json?: unknown;
  /** A form with this file of docs/postman beside the fields. */
  readonly form?: { readonly file: string; readonly fields: Readonly<Record<string, string>> };
  /** Path parameters that are not the variable of their own name. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** The answer is server-sent events, where the route can also answer with JSON. */
  readonly isStreamed?: boolean;
  /** Of the answer; 200 unless given. */
  readonly status?: number;
  /** What must hold, by its name: an expression in JavaScript of `response`, or of `body` where the answer is JSON. */
  readonly holds?: Readonly<Record<string, string>>;
  /** Variables that later requests use, by such an expression. */
  readonly keep?: Readonly<Record<string, string>>;
}

const namespace = '{{namespace}}';
const harbour = '# Harbour rules\n\nThe harbour opens at six in the morning.';
const hasSucceeded = { 'the job has succeeded': `response.text().includes('"state":"succeeded"')` };
const isRefused = { 'it says why': `body.error.message !== ''` };
const found = { 'the harbour is found': `body.hits[0].documentId === 'postman-harbour'` };

/** Every route once or more, in an order in which each finds what it needs, and nothing is left at the end. */
export const journey: readonly Step[] = [
  { operation: 'live' },
  { operation: 'ready', holds: { 'it is ready': `body.state === 'ready'` } },

  {
    operation: 'ingest',
    name: 'Take in a text',
    json: {
      documentId: 'postman-harbour',
      namespace,
      metadata: { team: 'tides' },
      source: { type: 'text', text: harbour, mediaType: 'text/markdown' },
    },
    headers: { 'Idempotency-Key': '{{$guid}}' },
    status: 202,
    keep: { jobId: 'body.id', documentId: 'body.documentId' },
  },
  {
    operation: 'ingest',
    name: 'Take in a file',
    form: { file: 'lighthouse.txt', fields: { documentId: 'postman-lighthouse', namespace } },
    status: 202,
    keep: { fileJobId: 'body.id' },
  },
  {
    operation: 'ingestBatch',
    json: {
      items: [
        { documentId: 'postman-ferry', namespace, source: { type: 'text', text: 'The ferry leaves at nine.' } },
        { documentId: 'postman-gannets', namespace, source: { type: 'text', text: 'Gannets nest on the cliff.' } },
      ],
    },
    status: 202,
    keep: { batchId: 'body.batchId', batchJobId: 'body.jobs[1].id' },
  },
  { operation: 'getBatch', holds: { 'it has two jobs': 'body.jobs.length === 2' } },

  { operation: 'jobEvents', name: 'Follow a job to its end', holds: hasSucceeded },
  {
    operation: 'jobEvents',
    name: 'Follow the job of the file',
    params: { jobId: '{{fileJobId}}' },
    holds: hasSucceeded,
  },
  {
    operation: 'jobEvents',
    name: 'Follow a job of the batch',
    params: { jobId: '{{batchJobId}}' },
    holds: hasSucceeded,
  },
  { operation: 'getJob', holds: { 'it has succeeded': `body.state === 'succeeded'` } },
  { operation: 'listJobs', query: { namespace }, holds: { 'there are four': 'body.items.length >= 4' } },
  { operation: 'cancelJob', name: 'A job that has ended is not stopped', status: 409, holds: isRefused },
  { operation: 'retryJob', name: 'A job that has succeeded is not run again', status: 409, holds: isRefused },

  { operation: 'listDocuments', query: { namespace }, holds: { 'they are there': 'body.items.length >= 2' } },
  { operation: 'getDocument', holds: { 'it is active': `body.state === 'active'` } },
  { operation: 'getDocumentChunks', holds: { 'it has one chunk': 'body.items.length === 1' } },
  { operation: 'getDocumentText', holds: { 'it is the text': `response.text().includes('six in the morning')` } },
  { operation: 'getDocumentContent' },
  {
    operation: 'getDocumentVersions',
    holds: { 'one is active': 'body.items.filter((one) => one.active).length === 1' },
  },
  {
    operation: 'patchDocument',
    json: { title: 'Rules of the harbour' },
    holds: { 'it has the title': `body.title === 'Rules of the harbour'` },
  },

  { operation: 'search', json: { query: 'When does the harbour open?', namespace, topK: 3 }, holds: found },
  {
    operation: 'searchBatch',
    json: {
      queries: [
        { query: 'opening hours of the harbour', namespace },
        { query: 'birds', namespace, filter: { documentId: 'postman-gannets' } },
      ],
    },
    holds: { 'each is answered': `body.results[1].hits[0].documentId === 'postman-gannets'` },
  },
  {
    operation: 'search',
    name: 'A misspelt option is refused',
    json: { query: 'x', topk: 3 },
    status: 400,
    holds: isRefused,
  },

  {
    operation: 'rag',
    json: { question: 'When does the harbour open?', namespace },
    holds: { 'it cites the harbour': `body.citations[0].documentId === 'postman-harbour'` },
  },
  {
    operation: 'rag',
    name: 'Answer a question, piece by piece',
    json: { question: 'When does the harbour open?', namespace, stream: true },
    isStreamed: true,
    holds: { 'it is streamed to its end': `response.text().includes('event: done')` },
    keep: { answerId: 'response.text().match(/answer_[0-9A-Z]+/)[0]' },
  },
  {
    operation: 'ragEvents',
    headers: { 'Last-Event-ID': '1' },
    holds: { 'the rest comes again': `response.text().includes('event: done')` },
  },

  {
    operation: 'stats',
    holds: { 'every store is counted': 'body.chunks > 0 && body.vectors > 0 && body.postings > 0' },
  },

  { operation: 'adminQueues', holds: { 'six tiers': 'body.queues.length === 6' } },
  { operation: 'adminDeadLetters' },
  { operation: 'adminRetryDeadLetter', name: 'What is no dead letter is not retried', status: 409, holds: isRefused },
  { operation: 'adminReconcile' },
  {
    operation: 'adminReindex',
    name: 'A namespace that has a model already does not get it again',
    json: { namespace, model: 'bge-small-en-v1.5-int8' },
    status: 409,
    holds: isRefused,
  },
  { operation: 'adminExport', query: { namespace } },
  {
    operation: 'adminImport',
    name: 'What is no archive is not taken in',
    json: {},
    query: { namespace },
    status: 415,
    holds: isRefused,
  },

  ...['harbour', 'lighthouse', 'ferry', 'gannets'].map(
    (name): Step => ({
      operation: 'deleteDocument',
      name: `Forget the ${name}`,
      folder: 'the end',
      params: { documentId: `postman-${name}` },
      holds: { 'it is gone': 'body.verifiedAbsent === true' },
    }),
  ),
  { operation: 'getDocument', name: 'It is gone', folder: 'the end', status: 404, holds: isRefused },
];
