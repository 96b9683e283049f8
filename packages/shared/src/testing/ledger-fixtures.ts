import type { Scope } from '../contracts/model/ids.ts';
import type { JobState } from '../contracts/model/job.ts';
import { newJobId } from '../ingest/new-id.ts';
import type { JobEvent, JobRecord, Ledger, VersionRecord } from '../ports/ledger.ts';

/** What the suites of the ledger set up and read with. */
export const model = 'a-model';
let clockMs = Date.parse('2026-01-01T00:00:00.000Z');
/** Later each time, so that order is beyond doubt. */
export function nextTime(): string {
  clockMs += 1000;
  return new Date(clockMs).toISOString();
}
let names = 0;
/** Nobody else's: suites share a server. */
export const freshScope = (): Scope => ({ tenant: `tenant-${Date.now()}-${names++}`, namespace: 'default' });

export function jobOf(scope: Scope, documentId: string, version: number, changes: Partial<JobRecord> = {}): JobRecord {
  const at = nextTime();
  return {
    id: newJobId(),
    tenant: scope.tenant,
    namespace: scope.namespace,
    documentId,
    version,
    run: 0,
    state: 'queued',
    stage: 'parse',
    progress: 0,
    stages: [{ name: 'parse', state: 'pending', attempts: 0, done: 0, total: 0 }],
    warnings: [],
    priority: 'normal',
    sourceType: 'upload',
    createdAt: at,
    updatedAt: at,
    ...changes,
  };
}

export const versionOf = (job: JobRecord): VersionRecord => ({
  version: job.version,
  state: 'pending',
  jobId: job.id,
  sha256: 'abc',
  bytes: 3,
  chunks: 0,
  createdAt: job.createdAt,
  mediaType: 'text/plain',
});

export const to =
  (state: JobState, changes: Partial<JobRecord> = {}) =>
  (job: JobRecord): JobRecord => ({
    ...job,
    state,
    ...changes,
  });

/** Reserves and records a version, as an accept does. */
export async function accept(ledger: Ledger, scope: Scope, documentId: string, title = `Title of ${documentId}`) {
  const { version } = await ledger.reserveVersion(scope, documentId, model);
  const job = jobOf(scope, documentId, version);
  await ledger.createJob(job, versionOf(job), { title, metadata: {} });
  return job;
}

export async function acceptActive(ledger: Ledger, scope: Scope, documentId: string) {
  const job = await accept(ledger, scope, documentId);
  await ledger.describeVersion(scope, documentId, job.version, { chunks: 7 });
  await ledger.activateVersion(scope, documentId, job.version, nextTime());
  return job;
}

export async function collect(events: AsyncIterable<JobEvent>): Promise<JobEvent[]> {
  const all: JobEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** Reads page after page until there is none. */
export async function walk<Item>(
  read: (cursor: string | undefined) => Promise<{ items: readonly Item[]; nextCursor?: string | undefined }>,
) {
  const pages: Item[][] = [];
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    pages.push([...page.items]);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return pages;
}

export const never: AbortSignal = new AbortController().signal;
