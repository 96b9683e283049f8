import { ApiError } from '@semantic-memory/client/api-error';
import { type Client, createClient } from '@semantic-memory/client/client';
import { Answer } from '@semantic-memory/shared/contracts/model/answer';
import { SearchResponse } from '@semantic-memory/shared/contracts/model/search';
import { library, question } from './library.ts';

export interface SmokeOptions {
  readonly url: string;
  readonly token: string;
  /** Where the documents go, to be deleted at the end. */
  readonly namespace: string;
  /** More than the service accepts as one file. Undefined: what must be refused is not sent. */
  readonly tooLargeBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  onCheck(check: Check): void;
}

export interface Check {
  readonly name: string;
  /** Undefined where all is well. */
  readonly fault?: string;
}

/**
 * Ingests the small library, searches and asks, then sends what must be refused, and deletes what it ingested. A check
 * that fails does not keep the others from being made.
 * @returns every check in order
 */
export async function smoke(options: SmokeOptions): Promise<Check[]> {
  const client = createClient({ baseUrl: options.url, token: options.token });
  const checks: Check[] = [];
  const check = async (name: string, act: () => Promise<string | undefined>) => {
    const fault = await act().catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    const made = fault === undefined ? { name } : { name, fault };
    checks.push(made);
    options.onCheck(made);
  };
  for (const document of library) await check(`ingest ${document.id}`, () => ingest(client, options, document));
  await check('search', () => search(options));
  await check('rag', () => ask(options));
  if (options.tooLargeBytes !== undefined) {
    const { tooLargeBytes } = options;
    await check('empty document', () => mustFail(client, options, new Blob([]), 'empty.txt', 'empty_document'));
    const unsupported = new Blob([new Uint8Array(4096).map((_, index) => (index * 151) % 256)]);
    await check('unsupported document', () =>
      mustFail(client, options, unsupported, 'machine.bin', 'unsupported_type'),
    );
    await check('too large document', () => mustBeRefused(client, options, tooLargeBytes));
  }
  await check('delete', () => deleteAll(client, options));
  return checks;
}

const idOf = ({ namespace }: SmokeOptions, id: string) => `${namespace}-${id}`;

async function ingest(client: Client, options: SmokeOptions, { id, text, mediaType }: (typeof library)[number]) {
  const { namespace, signal } = options;
  const job = await client.ingestText(text, { documentId: idOf(options, id), namespace, mediaType, signal });
  const ended = await client.waitForJob(job.id, { signal });
  return ended.state === 'succeeded' ? undefined : `its job ended ${ended.state} with ${ended.error?.code}`;
}

async function search(options: SmokeOptions): Promise<string | undefined> {
  const body = await post(options, '/search', { query: question.text, namespace: options.namespace });
  const { hits, degraded } = SearchResponse.parse(body);
  if (degraded) return `the answer is degraded: ${degraded.join(', ')}`;
  const [best] = hits;
  if (best?.documentId !== idOf(options, question.document)) return `the best hit is ${best?.documentId ?? 'none'}`;
  return best.text.includes(question.words) ? undefined : `the best hit does not say “${question.words}”`;
}

async function ask(options: SmokeOptions): Promise<string | undefined> {
  const body = await post(options, '/rag', { question: question.text, namespace: options.namespace });
  const answer = Answer.parse(body);
  if (answer.refused) return 'the question was not answered';
  const cited = answer.citations.map(({ documentId }) => documentId);
  return cited.includes(idOf(options, question.document)) ? undefined : `it cites ${cited.join(', ') || 'nothing'}`;
}

/** The plain request, so that status and media type are looked at too. */
async function post({ url, token, signal }: SmokeOptions, path: string, body: object): Promise<unknown> {
  const response = await fetch(`${url}/api/v1/memory${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: signal ?? null,
  });
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith('application/json')) throw new Error(`${path} answered with the type ${type}`);
  return response.json();
}

/** Accepted, and ended `failed` with the code. */
async function mustFail(client: Client, options: SmokeOptions, blob: Blob, filename: string, code: string) {
  const { namespace, signal } = options;
  const documentId = idOf(options, filename);
  const job = await client.ingestFile({ blob, filename }, { documentId, namespace, signal });
  const ended = await client.waitForJob(job.id, { signal });
  if (ended.state === 'failed' && ended.error?.code === code) return undefined;
  return `its job ended ${ended.state} with ${ended.error?.code}, and must end failed with ${code}`;
}

/** Refused with 413 before it is stored. */
async function mustBeRefused(client: Client, options: SmokeOptions, bytes: number): Promise<string | undefined> {
  const part = new Uint8Array(Math.min(bytes, 1024 * 1024)).fill(97);
  const parts = Array.from({ length: Math.ceil(bytes / part.length) }, () => part);
  const file = { blob: new Blob(parts), filename: 'large.txt' };
  const { namespace, signal } = options;
  try {
    const job = await client.ingestFile(file, { documentId: idOf(options, 'large.txt'), namespace, signal });
    return `${bytes} bytes were accepted as job ${job.id}`;
  } catch (error) {
    if (error instanceof ApiError && error.status === 413) return undefined;
    throw error;
  }
}

async function deleteAll(client: Client, { namespace, signal }: SmokeOptions): Promise<string | undefined> {
  for await (const { id } of client.allDocuments({ namespace, signal })) await client.delete(id, { signal });
  const { items } = await client.documents({ namespace, signal });
  return items.length === 0 ? undefined : `${items.length} documents are still there`;
}
