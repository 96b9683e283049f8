import { ApiError } from '@semantic-memory/client/api-error';
import type { Client } from '@semantic-memory/client/client';
import { inParallel } from '@semantic-memory/client/in-parallel';
import type { IngestFields } from '@semantic-memory/client/inputs';
import { isTerminal, type Job } from '@semantic-memory/shared/contracts/model/job';
import { bold, type Io, oneLine, printable, seconds } from './io.ts';
import { createProgress } from './progress.ts';
import { findTargets, type Target } from './targets.ts';
import { UsageError } from './token.ts';

export interface IngestCommandOptions {
  fields: IngestFields;
  concurrency: number;
  /** Wait for the end of every job. */
  wait: boolean;
  idsFromPath: boolean;
  json: boolean;
}

interface Fault {
  code: string;
  message: string;
  hint?: string | undefined;
}

/** The job that a document became, or why it became none. */
type Outcome = { path: string; job: Job; error?: undefined } | { path: string; job?: undefined; error: Fault };

/** Ingests what the paths name. True where every document succeeded (or, without waiting, was accepted). */
export async function runIngest(
  client: Client,
  io: Io,
  paths: string[],
  options: IngestCommandOptions,
): Promise<boolean> {
  const targets = await findTargets(paths);
  if (targets.length === 0) throw new UsageError('There is nothing to ingest there.');
  if (options.fields.documentId !== undefined && targets.length > 1) {
    throw new UsageError(`--id is for one document, and there are ${targets.length}.`);
  }
  if (options.idsFromPath) refuseSameIds(targets);
  const progress = createProgress(io, targets.length);
  const startedAt = performance.now();
  const outcomes = await inParallel(targets, options.concurrency, async (target) => {
    const outcome = await ingestOne(client, io, target, options, (stage, share) =>
      progress.update(target.name, stage, share),
    );
    progress.finish(target.name);
    if (!options.json && !io.terminal) io.out(describe(io, outcome));
    return outcome;
  }).finally(() => progress.stop());
  const bad = outcomes.filter((outcome) => !isGood(outcome));
  const good = outcomes.length - bad.length;
  if (options.json) io.out(`${JSON.stringify({ succeeded: good, failed: bad.length, items: outcomes }, null, 2)}\n`);
  else {
    if (io.terminal) for (const outcome of outcomes) io.out(describe(io, outcome));
    const verb = options.wait ? 'succeeded' : 'accepted';
    const took = seconds(performance.now() - startedAt);
    io.out(
      `${bold(io, `${good} of ${outcomes.length} ${verb}`)}${bad.length ? `, ${bad.length} not` : ''} in ${took}\n`,
    );
  }
  return bad.length === 0;
}

/** Of two documents under one id the first would be replaced by the second, and both would have succeeded. */
function refuseSameIds(targets: readonly Target[]): void {
  const names = new Map<string, string>();
  for (const { id, name } of targets) {
    const other = names.get(id);
    if (other !== undefined) {
      throw new UsageError(`--ids-from-path would give the id ${id} to ${oneLine(other)} and ${oneLine(name)}.`);
    }
    names.set(id, name);
  }
}

async function ingestOne(
  client: Client,
  io: Io,
  target: Target,
  options: IngestCommandOptions,
  onProgress: (stage: string, share: number) => void,
): Promise<Outcome> {
  const fields = options.idsFromPath ? { documentId: target.id, ...options.fields } : options.fields;
  try {
    onProgress('send', 0);
    const accepted = await target.send(client, { ...fields, signal: io.signal });
    if (!options.wait || isTerminal(accepted.state)) return { path: target.name, job: accepted };
    const onChange = (job: Job) => onProgress(job.state === 'waiting' ? 'waiting' : job.stage, job.progress);
    return { path: target.name, job: await client.waitForJob(accepted.id, { signal: io.signal, onChange }) };
  } catch (thrown) {
    // The others go on, unless nobody is there to take them.
    if (!(thrown instanceof ApiError) || thrown.code === 'unreachable' || thrown.code === 'unauthenticated')
      throw thrown;
    return { path: target.name, error: { code: thrown.code, message: thrown.message, hint: thrown.hint } };
  }
}

function isGood({ job }: Outcome): boolean {
  return job !== undefined && !['failed', 'cancelled', 'partial'].includes(job.state);
}

function describe(io: Io, { path, job, error }: Outcome): string {
  if (!job) return describeFault(io, `refused   ${oneLine(path)}`, error);
  const head = `${job.state.padEnd(9)} ${oneLine(path)}`;
  if (job.error) return describeFault(io, head, job.error);
  const warnings = job.warnings.map((warning) => {
    const page = warning.page === undefined ? '' : ` (page ${warning.page})`;
    return `          ${warning.code}: ${printable(warning.message)}${page}\n`;
  });
  return `${head}  ${job.documentId}${isTerminal(job.state) ? '' : `  ${job.id}`}\n${warnings.join('')}`;
}

const describeFault = (io: Io, head: string, { code, message, hint }: Fault): string =>
  `${bold(io, head)}\n          ${code}: ${printable(message)}${hint ? ` ${hint}` : ''}\n`;
