import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorCode } from '@semantic-memory/shared/contracts/errors';
import type { Document } from '@semantic-memory/shared/contracts/model/document';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { jobHistory } from './fake-jobs.ts';
import { fakeHits } from './fake-search.ts';

export interface StoredDocument {
  document: Document;
  text: string;
  bytes: Uint8Array;
}

export interface FakeRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

export interface State {
  documents: Map<string, StoredDocument>;
  jobs: Map<string, Job[]>;
  keys: Map<string, Job>;
}

const root = '/api/v1/memory';

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export function sendError(response: ServerResponse, status: number, code: ErrorCode, headers = {}) {
  const error = { code, message: `It is ${code}.`, hint: 'A hint.', requestId: 'req_fake' };
  sendJson(response, status, { error }, headers);
}

/** Answers one request as the contract says. */
export async function answer(state: State, request: FakeRequest, response: ServerResponse): Promise<void> {
  const route = `${request.method} ${request.path.replace(root, '')}`;
  if (route === 'GET /health/ready') return sendJson(response, 200, { state: 'ready', dependencies: {} });
  if (request.headers.authorization === undefined) return sendError(response, 401, 'unauthenticated');
  if (route === 'POST /ingest' && request.query.get('dryRun') === 'true') return dryRun(request, response);
  if (route === 'POST /ingest') return ingest(state, request, response);
  if (route === 'POST /ingest/batch') return ingestBatch(state, request, response);
  if (route === 'POST /search') return sendJson(response, 200, search(state, JSON.parse(String(request.body))));
  if (route === 'POST /search/batch') {
    const { queries } = JSON.parse(String(request.body)) as { queries: { query: string }[] };
    return sendJson(response, 200, { results: queries.map((query) => search(state, query)) });
  }
  if (route === 'POST /rag') return rag(state, JSON.parse(String(request.body)), response);
  if (route === 'GET /stats') return sendJson(response, 200, stats(state));
  if (route === 'GET /admin/queues') {
    const empty = { waiting: 0, active: 0, delayed: 0, failed: 1, oldestWaitSeconds: 2.4 };
    return sendJson(response, 200, { queues: [{ tier: 'parse', ...empty }] });
  }
  if (route === 'GET /admin/dead-letters') return sendJson(response, 200, { items: deadLetters(state) });
  const dead = /^POST \/admin\/dead-letters\/([^/]+)\/retry$/.exec(route);
  if (dead) return retryDeadLetter(state, dead[1] ?? '', response);
  if (route === 'POST /admin/reconcile') {
    return sendJson(response, 200, { checked: 7, drift: { job_missing: 1 }, repaired: 1 });
  }
  if (route === 'POST /admin/reindex') return reindex(state, JSON.parse(String(request.body)), response);
  if (route === 'GET /admin/export') {
    if (request.query.get('namespace') === 'nowhere') return sendError(response, 404, 'not_found');
    response.writeHead(200, { 'content-type': 'application/x-tar' }).write('the archive of ');
    // Breaks off in the middle of what it sends.
    if (request.query.get('namespace') === 'broken') return void setTimeout(() => response.destroy(), 20);
    return void response.end(request.query.get('namespace') ?? 'default');
  }
  if (route === 'POST /admin/import') {
    const [job] = await store(state, request);
    return sendJson(response, 202, job);
  }
  if (route === 'GET /jobs') {
    const items = [...state.jobs.values()].map((jobs) => jobs.at(-1));
    return sendJson(response, 200, { items: items.reverse() });
  }
  if (route === 'GET /documents') return documentPage(state, request, response);
  const job = /^GET \/jobs\/([^/]+)(\/events)?$/.exec(route);
  if (job) {
    const history = state.jobs.get(job[1] ?? '');
    if (!history) return sendError(response, 404, 'not_found');
    return job[2] ? events(history, request, response) : sendJson(response, 200, history.at(-1));
  }
  const document = /^(GET|DELETE) \/documents\/([^/]+)(\/text)?$/.exec(route);
  const stored = state.documents.get(decodeURIComponent(document?.[2] ?? ''));
  if (!stored) return sendError(response, 404, 'not_found');
  if (document?.[1] === 'DELETE') {
    state.documents.delete(stored.document.id);
    const removed = { chunks: stored.document.chunks, postings: 0, cacheEntries: 0, blobs: 2 };
    const receipt = {
      documentId: stored.document.id,
      removed,
      verifiedAbsent: true,
      deletedAt: new Date().toISOString(),
    };
    return sendJson(response, 200, receipt);
  }
  if (document?.[3]) response.writeHead(200, { 'content-type': 'text/markdown; charset=utf-8' }).end(stored.text);
  else sendJson(response, 200, stored.document);
}

/** The model `worse` is refused. */
function reindex(
  state: State,
  { model, namespace = 'default', force = false }: { model: string; namespace?: string; force?: boolean },
  response: ServerResponse,
): void {
  const isWorse = model === 'worse';
  const refused = isWorse && !force;
  const history = jobHistory(state.jobs.size + 1, `namespace:${namespace}`, refused ? 'worse_model' : undefined);
  const [accepted, running, ended] = history as [Job, Job, Job];
  const comparison: Job['comparison'] = {
    formerModel: 'former',
    model,
    selfRetrieval: { queries: 200, former: 0.9, next: isWorse ? 0.4 : 0.95, interval: [0.01, 0.09] },
    agreement: 0.5,
    verdict: isWorse ? 'worse' : 'good',
    reasons: [],
    switched: !refused,
  };
  state.jobs.set(accepted.id, [accepted, running, { ...ended, comparison }]);
  sendJson(response, 202, accepted);
}

/** Whatever has failed counts as ours here. */
const deadLetters = (state: State): Job[] =>
  [...state.jobs.values()].flatMap((history) => history.at(-1) ?? []).filter((job) => job.state === 'failed');

function retryDeadLetter(state: State, jobId: string, response: ServerResponse) {
  const job = deadLetters(state).find(({ id }) => id === jobId);
  if (!job) return sendError(response, 404, 'not_found');
  const again: Job = { ...job, state: 'queued' };
  state.jobs.get(jobId)?.push(again);
  return sendJson(response, 200, again);
}

async function ingest(state: State, request: FakeRequest, response: ServerResponse): Promise<void> {
  const key = request.headers['idempotency-key'];
  const known = typeof key === 'string' ? state.keys.get(key) : undefined;
  const job = known ?? (await store(state, request))[0];
  if (!job) return sendError(response, 400, 'invalid_request');
  if (typeof key === 'string') state.keys.set(key, job);
  sendJson(response, 202, job, { location: job.links.self ?? '' });
}

async function ingestBatch(state: State, request: FakeRequest, response: ServerResponse): Promise<void> {
  sendJson(response, 202, { batchId: 'batch_01JZZZZZZZZZZZZZZZZZZZZZZZ', jobs: await store(state, request) });
}

async function store(state: State, request: FakeRequest): Promise<Job[]> {
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('multipart/')) {
    const form = await new Response(new Uint8Array(request.body), { headers: { 'content-type': type } }).formData();
    const field = (name: string) => form.get(name)?.toString();
    const files = form.getAll('file').filter((part) => part instanceof File);
    const stored = files.map(async (file) =>
      add(state, new Uint8Array(await file.arrayBuffer()), {
        name: file.name,
        id: field('documentId'),
        title: field('title'),
      }),
    );
    return Promise.all(stored);
  }
  const body = JSON.parse(String(request.body));
  const items = body.items ?? [body];
  return items.map(({ source, documentId: id, title }: FakeItem) => {
    const job = add(state, Buffer.from(source.text ?? source.type), { name: source.type, id, title });
    // A repository brings its files as documents of their own and is none itself.
    const child = { name: 'README.md', id: `${job.documentId}:README.md`, title };
    if (source.type === 'git') {
      add(state, Buffer.from('# Read me'), child);
      state.documents.delete(job.documentId);
    }
    return job;
  });
}

interface FakeItem {
  source: { type: string; text?: string };
  documentId?: string;
  title?: string;
}

function add(
  state: State,
  bytes: Uint8Array,
  { name, id, title }: { name: string; id: string | undefined; title: string | undefined },
): Job {
  const documentId = id ?? `doc-${state.documents.size + 1}`;
  const text = Buffer.from(bytes).toString();
  const fault = bytes.length === 0 ? 'empty_document' : name.endsWith('.bin') ? 'unsupported_type' : undefined;
  const history = jobHistory(state.jobs.size + 1, documentId, fault);
  const first = history[0] as Job;
  state.jobs.set(first.id, history);
  const document: Document = {
    id: documentId,
    namespace: 'default',
    title: title ?? name,
    mediaType: 'text/plain',
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    version: 1,
    state: fault ? 'failed' : 'active',
    chunks: fault ? 0 : 1,
    metadata: {},
    createdAt: first.createdAt,
    updatedAt: first.updatedAt,
    jobId: first.id,
    links: {},
  };
  state.documents.set(documentId, { document, text, bytes });
  return first;
}

function events(history: Job[], request: FakeRequest, response: ServerResponse): void {
  const seen = Number(request.headers['last-event-id'] ?? 0);
  if (seen >= history.length) {
    response.writeHead(204).end();
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const [index, job] of history.entries()) {
    if (index >= seen) response.write(`event: job\nid: ${index + 1}\ndata: ${JSON.stringify(job)}\n\n`);
  }
  response.end();
}

function search(state: State, request: { query: string; topK?: number }) {
  const hits = fakeHits([...state.documents.values()], request.query).slice(0, request.topK ?? 10);
  return { hits, mode: 'dense', tookMs: 1 };
}

function rag(state: State, request: { question: string; stream?: boolean }, response: ServerResponse): void {
  const { hits } = search(state, { query: request.question });
  const best = hits[0];
  const citation = best && {
    marker: '[1]',
    chunkId: best.chunkId,
    documentId: best.documentId,
    span: best.span,
    quote: best.text,
  };
  const answer = best ? `${best.text} [1]` : 'Nothing was found.';
  const usage = { model: 'extractive', promptTokens: 0, completionTokens: 0 };
  const whole = { answer, citations: citation ? [citation] : [], grounded: true, refused: !best, usage };
  if (!request.stream) {
    sendJson(response, 200, whole);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (event: string, data: unknown) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  send('sources', { answerId: 'answer_1', hits });
  for (const text of answer.split(/(?<= )/)) send('token', { text });
  if (citation) send('citation', citation);
  send('done', whole);
  response.end();
}

function stats(state: State) {
  const documents = [...state.documents.values()].filter(({ document }) => document.state === 'active');
  const counts = { documents: documents.length, chunks: documents.length, vectors: documents.length, postings: 0 };
  return { ...counts, namespaces: [{ namespace: 'default', ...counts }], consistent: true };
}

function documentPage(state: State, request: FakeRequest, response: ServerResponse): void {
  const start = Number(request.query.get('cursor') ?? 0);
  const limit = Number(request.query.get('limit') ?? 50);
  const all = [...state.documents.values()].map(({ document }) => document).reverse();
  const more = start + limit < all.length ? { nextCursor: String(start + limit) } : {};
  sendJson(response, 200, { items: all.slice(start, start + limit), ...more });
}

/** A dry run of what is no `*.bin`: ten tokens, whatever it is. */
function dryRun(request: FakeRequest, response: ServerResponse): void {
  if (/filename="[^"]*\.bin"/.test(String(request.body))) {
    sendError(response, 415, 'unsupported_type');
    return;
  }
  const found = { mediaType: 'text/plain', pages: 2, ocrPages: 1, chunks: 1, tokens: 10 };
  const warnings = [{ code: 'ocr_estimated', message: '1 page holds no text.' }];
  sendJson(response, 200, { ...found, estimatedSeconds: 2.5, estimatedCostUsd: 0.0001, warnings });
}
