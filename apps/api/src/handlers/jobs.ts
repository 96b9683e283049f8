import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { JobId } from '@semantic-memory/shared/contracts/model/ids';
import { isTerminal } from '@semantic-memory/shared/contracts/model/job';
import { cancelJob } from '@semantic-memory/shared/ingest/jobs/cancel';
import { jobView } from '@semantic-memory/shared/ingest/jobs/job-view';
import { retryJob } from '@semantic-memory/shared/ingest/jobs/retry';
import type { JobEvent, JobRecord } from '@semantic-memory/shared/ports/ledger';
import type { ApiDeps } from '../api-deps.ts';
import { type Handlers, ok, type RequestContext } from '../endpoint-handler.ts';
import { openEventStream } from '../event-stream.ts';

type JobHandlers = Pick<Handlers, 'listJobs' | 'getJob' | 'jobEvents' | 'cancelJob' | 'retryJob'>;

export function jobHandlers(deps: ApiDeps): JobHandlers {
  return {
    async listJobs({ tenant }, { query }) {
      const { items, nextCursor } = await deps.ledger.listJobs(tenant, query);
      return ok({ items: items.map(jobView), ...(nextCursor === undefined ? {} : { nextCursor }) });
    },
    getJob: async ({ tenant }, { params }) => ok(jobView(await knownJob(deps, tenant, params.jobId))),
    async cancelJob({ tenant }, { params }) {
      const { id } = await knownJob(deps, tenant, params.jobId);
      return ok(jobView(await cancelJob(deps, tenant, id)));
    },
    async retryJob({ tenant }, { params }) {
      const { id } = await knownJob(deps, tenant, params.jobId);
      return ok(jobView(await retryJob(deps, tenant, id)));
    },
    async jobEvents(context, { params, headers }) {
      const lastId = headers['last-event-id'] || undefined;
      const job = await knownJob(deps, context.tenant, params.jobId);
      return followJob(deps, context, job, lastId);
    },
  };
}

/** @throws MemoryError `not_found`, also for what is no job's id */
export async function knownJob(deps: ApiDeps, tenant: string, jobId: string): Promise<JobRecord> {
  const job = JobId.safeParse(jobId).success ? await deps.ledger.getJob(tenant, jobId) : undefined;
  if (!job) throw new MemoryError('not_found', 'There is no such job.');
  return job;
}

async function followJob(deps: ApiDeps, context: RequestContext, job: JobRecord, lastId: string | undefined) {
  const { response } = context;
  const signal = AbortSignal.any([context.signal, deps.lifecycle.stopping]);
  const events = deps.ledger.watchJob(context.tenant, job.id, lastId, signal)[Symbol.asyncIterator]();
  let first: IteratorResult<JobEvent> | undefined;
  if (isTerminal(job.state)) {
    first = await events.next();
    if (first.done) {
      response.writeHead(204).end();
      return 'written' as const;
    }
  }
  const stream = openEventStream(response, deps.limits.heartbeatMs);
  try {
    for (let next = first ?? (await events.next()); !next.done; next = await events.next()) {
      await stream.send({ id: next.value.id, event: 'job', data: jobView(next.value.job) });
    }
  } catch (error) {
    // The caller comes again with the last id that it has seen, and finds nothing missing.
    if (!signal.aborted) context.logger.warn('the stream of a job broke off', { jobId: job.id, error });
  } finally {
    await events.return?.();
    stream.end();
  }
  return 'written' as const;
}
