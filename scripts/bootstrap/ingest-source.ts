import { ApiError } from '@semantic-memory/client/api-error';
import type { Client } from '@semantic-memory/client/client';
import { openFile } from '@semantic-memory/client/file-source';
import { documentIdOf, findFiles } from '@semantic-memory/client/find-files';
import { inParallel } from '@semantic-memory/client/in-parallel';
import type { Job, StageName } from '@semantic-memory/shared/contracts/model/job';
import type { DocumentReport } from './report.ts';

export interface IngestContext {
  client: Client;
  namespace: string;
  concurrency: number;
  signal?: AbortSignal | undefined;
  onStage(file: string, stage: string): void;
  onDone(document: DocumentReport, total: number): void;
}

/** Ingests every file below a path, and waits for all of them; a document is known by its path, so that it replaces. */
export async function ingestFolder(context: IngestContext, path: string): Promise<DocumentReport[]> {
  const files = await findFiles(path);
  return inParallel(files, context.concurrency, async ({ path: file, name }) => {
    const fields = { documentId: documentIdOf(name), namespace: context.namespace, signal: context.signal };
    const document = await follow(context, name, async () => context.client.ingestFile(await openFile(file), fields));
    context.onDone(document, files.length);
    return document;
  });
}

/** Has the service fetch an address, and waits for it and for what it brought (the files of a repository). */
export async function ingestAddress(context: IngestContext, url: string): Promise<DocumentReport[]> {
  const { client, namespace, signal } = context;
  const source = { type: url.endsWith('.git') ? ('git' as const) : ('url' as const), url };
  const parent = await follow(context, url, () => client.ingest(source, { namespace, signal }));
  context.onDone(parent, 1);
  const brought = source.type === 'git' ? await jobsBroughtBy(context, parent) : [];
  const children = await inParallel(brought, context.concurrency, async (job) => {
    const document = await follow(context, job.documentId, async () => job);
    context.onDone(document, brought.length + 1);
    return document;
  });
  return [parent, ...children];
}

/** Jobs of the files of a repository: newer than its own, for documents named after its own. */
async function jobsBroughtBy({ client, namespace, signal }: IngestContext, parent: DocumentReport): Promise<Job[]> {
  const jobs: Job[] = [];
  if (parent.documentId === undefined) return jobs;
  for (let cursor: string | undefined; ; ) {
    const page = await client.jobs({ namespace, limit: 100, cursor, signal });
    for (const job of page.items) {
      if (job.id === parent.jobId) return jobs;
      if (job.documentId.startsWith(`${parent.documentId}:`)) jobs.push(job);
    }
    cursor = page.nextCursor;
    if (cursor === undefined) return jobs;
  }
}

async function follow(context: IngestContext, file: string, send: () => Promise<Job>): Promise<DocumentReport> {
  const { client, signal } = context;
  const startedAt = performance.now();
  try {
    const accepted = await send();
    const onChange = (job: Job) => context.onStage(file, job.state === 'waiting' ? 'waiting' : job.stage);
    const job = await client.waitForJob(accepted.id, { signal, onChange });
    const document = await client.document(job.documentId, { signal }).catch(noDocument);
    return {
      file,
      documentId: job.documentId,
      jobId: job.id,
      state: job.state,
      code: job.error?.code,
      seconds: secondsBetween(job.createdAt, job.finishedAt),
      stageSeconds: stageSeconds(job),
      chunks: document?.chunks ?? 0,
      pages: document?.pages,
    };
  } catch (thrown) {
    // A document that was refused is a finding; a service that is not there ends the run.
    if (!(thrown instanceof ApiError) || thrown.status === 0 || thrown.status === 401) throw thrown;
    const seconds = (performance.now() - startedAt) / 1000;
    return { file, state: 'refused', code: thrown.code, seconds, stageSeconds: {}, chunks: 0 };
  }
}

/** A repository is no document itself: what it brought is. */
function noDocument(thrown: unknown): undefined {
  if (!(thrown instanceof ApiError) || thrown.code !== 'not_found') throw thrown;
}

function stageSeconds(job: Job): Partial<Record<StageName, number>> {
  const ran = job.stages.filter((stage) => stage.startedAt && stage.finishedAt && stage.state !== 'skipped');
  return Object.fromEntries(ran.map((stage) => [stage.name, secondsBetween(stage.startedAt, stage.finishedAt)]));
}

function secondsBetween(start: string | undefined, end: string | undefined): number {
  return start && end ? (Date.parse(end) - Date.parse(start)) / 1000 : 0;
}
