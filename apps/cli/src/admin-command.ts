import { readFile } from 'node:fs/promises';
import type { Client } from '@semantic-memory/client/client';
import type { ReindexInput } from '@semantic-memory/client/inputs';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { bold, type Io, printable } from './io.ts';
import { runJobStatus } from './status-command.ts';
import { UsageError } from './token.ts';

const columns = ['tier', 'waiting', 'active', 'delayed', 'failed', 'oldest s'] as const;
const width = 12;

/** Prints what waits in each tier. */
export async function runQueues(client: Client, io: Io, json: boolean): Promise<void> {
  const { queues } = await client.admin.queues({ signal: io.signal });
  if (json) return io.out(`${JSON.stringify({ queues }, null, 2)}\n`);
  io.out(`${bold(io, row(columns))}\n`);
  for (const queue of queues) {
    const { tier, waiting, active, delayed, failed, oldestWaitSeconds } = queue;
    io.out(`${row([tier, waiting, active, delayed, failed, Math.round(oldestWaitSeconds)])}\n`);
  }
}

/** Prints all jobs that failed by a fault of the service. */
export async function runDeadLetters(client: Client, io: Io, json: boolean): Promise<void> {
  const jobs: Job[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await client.admin.deadLetters({ limit: 100, cursor, signal: io.signal });
    for (const job of page.items) if (!json) io.out(`${renderDeadLetter(job)}\n`);
    jobs.push(...page.items);
    cursor = page.nextCursor;
    if (cursor === undefined) break;
  }
  if (json) io.out(`${JSON.stringify(jobs, null, 2)}\n`);
  else if (jobs.length === 0) io.out('No dead letters.\n');
}

export async function runRetryDeadLetters(client: Client, io: Io, ids: readonly string[], json: boolean) {
  for (const id of ids) {
    const job = await client.admin.retryDeadLetter(id, { signal: io.signal });
    io.out(json ? `${JSON.stringify(job)}\n` : `${job.state} ${job.id}  ${job.documentId}\n`);
  }
}

export async function runReconcile(client: Client, io: Io, json: boolean): Promise<void> {
  const report = await client.admin.reconcile({ signal: io.signal });
  if (json) return io.out(`${JSON.stringify(report)}\n`);
  io.out(`${report.checked} checked, ${report.repaired} repaired\n`);
  for (const [kind, count] of Object.entries(report.drift)) io.out(`  ${kind}: ${count}\n`);
}

/**
 * Asks for another embedding model and follows the job. False where it was refused.
 * @param judgedFile JSON: a list of `{query, relevant: [documentId, …]}`
 */
export async function runReindex(
  client: Client,
  io: Io,
  model: string,
  options: { namespace?: string; force: boolean; judgedFile?: string; wait: boolean; json: boolean },
): Promise<boolean> {
  const { namespace, force, judgedFile, wait, json } = options;
  const judged = judgedFile === undefined ? undefined : await readJudged(judgedFile);
  const { id } = await client.admin.reindex({ model, namespace, force, judged, signal: io.signal });
  return runJobStatus(client, io, id, wait, json);
}

async function readJudged(file: string): Promise<ReindexInput['judged']> {
  const text = await readFile(file, 'utf8');
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${file} is not JSON.`);
  }
}

const renderDeadLetter = ({ id, documentId, stage, error }: Job) =>
  `${id}  ${documentId}  ${stage}: ${printable(error?.message ?? 'unknown')}`;

const row = (cells: readonly (string | number)[]) =>
  cells
    .map((cell) => String(cell).padEnd(width))
    .join('')
    .trimEnd();
