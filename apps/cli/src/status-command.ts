import type { Client } from '@semantic-memory/client/client';
import type { Ready } from '@semantic-memory/shared/contracts/http/health';
import type { ModelComparison } from '@semantic-memory/shared/contracts/model/comparison';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { bold, type Io, printable, seconds } from './io.ts';

/** Prints one job with its stages. False where it did not succeed, is over, or stands only in part. */
export async function runJobStatus(client: Client, io: Io, id: string, wait: boolean, json: boolean): Promise<boolean> {
  const job = await (wait ? client.waitForJob(id, { signal: io.signal }) : client.job(id, { signal: io.signal }));
  io.out(json ? `${JSON.stringify(job, null, 2)}\n` : renderJob(io, job));
  return !['failed', 'partial', 'cancelled'].includes(job.state);
}

/** Prints what the service holds, whether it is ready, and the latest jobs. False where it is not ready. */
export async function runStatus(client: Client, io: Io, json: boolean): Promise<boolean> {
  const { signal } = io;
  const health = await client.health({ signal });
  const [stats, jobs] = await Promise.all([client.stats({ signal }), client.jobs({ limit: 10, signal })]);
  if (json) io.out(`${JSON.stringify({ health, stats, jobs: jobs.items }, null, 2)}\n`);
  else {
    io.out(`${bold(io, renderHealth(health.body))}\n`);
    const { documents, chunks, vectors, consistent } = stats;
    const agreement = consistent ? 'all stores agree' : 'the stores do not agree';
    io.out(`${documents} documents, ${chunks} chunks, ${vectors} vectors; ${agreement}\n`);
    for (const job of jobs.items) io.out(`${job.state.padEnd(9)} ${job.id}  ${job.documentId}\n`);
  }
  return health.ready;
}

function renderHealth({ state, dependencies }: Ready): string {
  const down = Object.entries(dependencies).filter(([, dependency]) => dependency.state === 'down');
  return down.length === 0 ? state : `${state}; down: ${down.map(([name]) => name).join(', ')}`;
}

function renderComparison({
  formerModel,
  model,
  selfRetrieval,
  agreement,
  judged,
  switched,
}: ModelComparison): string[] {
  const measure = (name: string, { former, next, queries }: { former: number; next: number; queries: number }) =>
    `  ${name} ${former} -> ${next} (${queries} queries)`;
  return [
    `${formerModel} -> ${model}: ${switched ? 'switched' : 'not switched'}`,
    ...(selfRetrieval ? [measure('found by own sentences', selfRetrieval)] : []),
    ...(judged ? [measure('judged queries', judged)] : []),
    ...(agreement === undefined ? [] : [`  ${Math.round(agreement * 100)} % of the first ten hits are the same`]),
  ];
}

function renderJob(io: Io, job: Job): string {
  const lines = [`${bold(io, job.state)}  ${job.id}`, `document ${job.documentId}, version ${job.version}`];
  for (const stage of job.stages) {
    const took =
      stage.startedAt && stage.finishedAt ? seconds(Date.parse(stage.finishedAt) - Date.parse(stage.startedAt)) : '';
    const units = stage.total > 0 ? `${stage.done}/${stage.total}` : '';
    const attempts = stage.attempts > 1 ? `  ${stage.attempts} attempts` : '';
    lines.push(
      `  ${stage.name.padEnd(6)} ${stage.state.padEnd(9)} ${units.padStart(9)} ${took.padStart(8)}${attempts}`.trimEnd(),
    );
  }
  for (const warning of job.warnings) {
    lines.push(
      `  ${warning.code}: ${printable(warning.message)}${warning.page === undefined ? '' : ` (page ${warning.page})`}`,
    );
  }
  if (job.comparison) lines.push(...renderComparison(job.comparison));
  if (job.error)
    lines.push(`${job.error.code}: ${printable(job.error.message)}${job.error.hint ? ` ${job.error.hint}` : ''}`);
  if (job.etaSeconds !== undefined) lines.push(`about ${Math.ceil(job.etaSeconds)} s to go`);
  return `${lines.join('\n')}\n`;
}
