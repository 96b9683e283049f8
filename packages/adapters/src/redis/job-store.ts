import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { isTerminal } from '@semantic-memory/shared/contracts/model/job';
import { assertTransition } from '@semantic-memory/shared/contracts/model/job-transitions';
import { addVersion } from '@semantic-memory/shared/ports/document-transitions';
import type { JobRecord, Ledger, LedgerDocument } from '@semantic-memory/shared/ports/ledger';
import { type LedgerAccess, readLedger, readLedgerAtLength, runLedgerScript } from './gate.ts';
import {
  addChildScript,
  createJobScript,
  forgetJobScript,
  restoreJobScript,
  updateJobScript,
  withdrawJobScript,
} from './job-scripts.ts';
import type { LedgerKeys } from './keys.ts';
import { readPage } from './paging.ts';
import { retiredMember } from './retirement.ts';
import { parseRevisioned, parseWithEvent } from './revisioned.ts';

/** How long a job's events can be replayed after it has ended. */
const eventsKeptMs = 24 * 3_600_000;
/** About so many events are kept of a job; a job of thousands of pages makes more. */
const maxEventsPerJob = 1000;

/** Records that are read in one call, of about a kilobyte each: whoever else asks Redis for something waits for it. */
const recordsAtOnce = 500;

type JobStore = Pick<
  Ledger,
  | 'createJob'
  | 'createParentJob'
  | 'getJob'
  | 'getJobs'
  | 'listJobs'
  | 'updateJob'
  | 'forgetJob'
  | 'addChild'
  | 'children'
  | 'openJobs'
  | 'restoreJob'
>;

export function createJobStore(deps: LedgerAccess): JobStore {
  const { keys } = deps;
  // Of the records that were given out, so that whoever changes one need not read it anew.
  const revisions = new WeakMap<JobRecord, string>();
  const remembered = (stored: string | null | undefined) => {
    const found = parseWithEvent<JobRecord>(stored);
    if (found) revisions.set(found.value, found.revision);
    return found;
  };
  return {
    async createJob(job, version, described) {
      let current: ReturnType<typeof parseRevisioned<LedgerDocument>>;
      for (;;) {
        const document = addVersion(current?.value, job, version, described);
        const answer = await runLedgerScript(
          deps,
          createJobScript,
          [...jobKeys(keys, job), ...documentKeys(keys, job)],
          [...jobArgs(keys, job), ...documentArgs(job, version.version, current?.revision ?? '0', document)],
        );
        const [outcome, detail] = answer as [string, string?];
        if (outcome === 'elsewhere') {
          throw new MemoryError('conflict', `Document ${job.documentId} belongs to namespace ${detail}.`);
        }
        if (outcome !== 'retry') return;
        current = parseRevisioned<LedgerDocument>(detail);
      }
    },

    async createParentJob(job) {
      await runLedgerScript(deps, createJobScript, jobKeys(keys, job), jobArgs(keys, job));
    },

    async restoreJob(job) {
      const args = [...jobArgs(keys, job), job.tenant, Math.floor(Date.now() / 1000)];
      return (await runLedgerScript(deps, restoreJobScript, [...jobKeys(keys, job), keys.tenants], args)) === 1;
    },

    async getJob(tenant, jobId) {
      return remembered(await readLedger(deps, (redis) => redis.get(keys.tenant(tenant).job(jobId))))?.value;
    },

    async getJobs(tenant, jobIds) {
      const jobs = await readJobs(deps, tenant, jobIds);
      return jobs.filter((job) => job !== undefined);
    },

    async listJobs(tenant, query) {
      const ofTenant = keys.tenant(tenant);
      const index = query.documentId
        ? ofTenant.jobsByDocument(query.documentId)
        : query.state
          ? ofTenant.jobsByState(query.state)
          : query.namespace
            ? ofTenant.jobsByNamespace(query.namespace)
            : ofTenant.jobs;
      return readLedgerAtLength(deps, (redis) =>
        readPage(redis, index, query, async (members) => {
          const jobs = await readJobs(deps, tenant, members.map(jobIdOf));
          // A job may have moved on since the index was read.
          return jobs.map((job) =>
            job &&
            (query.state === undefined || job.state === query.state) &&
            (query.namespace === undefined || job.namespace === query.namespace) &&
            (query.matches === undefined || query.matches(job))
              ? job
              : undefined,
          );
        }),
      );
    },

    async updateJob(tenant, jobId, change, known) {
      const read = async () => remembered(await readLedger(deps, (redis) => redis.get(keys.tenant(tenant).job(jobId))));
      const revision = known && revisions.get(known);
      let current = known && revision ? { value: known, revision } : await read();
      let isFresh = !revision;
      for (;;) {
        if (!current) return undefined;
        const { id, state, run } = current.value;
        const next = change(current.value);
        if (!next) {
          if (isFresh) return current.value;
          current = await read();
          isFresh = true;
          continue;
        }
        assertTransition({ id, state, run }, next);
        const { job, events } = jobNames(keys, next);
        const byState = keys.tenant(tenant).jobsByState;
        const answer = await runLedgerScript(
          deps,
          updateJobScript,
          [job, events, keys.openJobs, byState(state), byState(next.state)],
          [...jobArgs(keys, next), current.revision],
        );
        const [outcome, detail] = answer as [string, string?];
        if (outcome === 'ok') {
          revisions.set(next, String(Number(current.revision) + 1));
          return next;
        }
        if (outcome === 'absent') return undefined;
        current = remembered(detail);
        isFresh = true;
      }
    },

    async forgetJob(tenant, jobId, known) {
      const ofTenant = keys.tenant(tenant);
      const [job, events, , ...indexes] = known ? jobKeys(keys, known) : [ofTenant.job(jobId)];
      const ofKnown = known
        ? [events!, ofTenant.children(jobId), ofTenant.children(known.parentJobId ?? jobId), ...indexes]
        : [];
      const args = [known ? (revisions.get(known) ?? '') : '0', retiredMember('job', jobId, tenant)];
      return (
        (await runLedgerScript(
          deps,
          forgetJobScript,
          [job!, keys.retired, ...ofKnown],
          [...args, known ? indexMember(known) : '', jobId],
        )) === 1
      );
    },

    async addChild(tenant, parentJobId, childJobId) {
      await runLedgerScript(
        deps,
        addChildScript,
        [keys.tenant(tenant).children(parentJobId)],
        [Date.now(), childJobId],
      );
    },

    async children(tenant, parentJobId) {
      return readLedger(deps, (redis) => redis.zrange(keys.tenant(tenant).children(parentJobId), '0', '-1'));
    },

    async openJobs(limit) {
      const members = await readLedger(deps, (redis) => redis.zrange(keys.openJobs, '0', String(limit - 1)));
      return members.map((member) => {
        const [, jobId, ...tenant] = member.split('|') as [string, string, ...string[]];
        return { tenant: tenant.join('|'), jobId };
      });
    },
  };
}

/** Removes a job that was never accepted. Returns whether there was one. */
export async function withdrawJob(deps: LedgerAccess, tenant: string, jobId: string): Promise<boolean> {
  const [job] = await readJobs(deps, tenant, [jobId]);
  if (!job) return false;
  const args = [indexMember(job), `${indexMember(job)}|${job.tenant}`];
  return (await runLedgerScript(deps, withdrawJobScript, jobKeys(deps.keys, job), args)) === 1;
}

async function readJobs(deps: LedgerAccess, tenant: string, jobIds: readonly string[]) {
  const { job } = deps.keys.tenant(tenant);
  const jobs: (JobRecord | undefined)[] = [];
  for (let from = 0; from < jobIds.length; from += recordsAtOnce) {
    const names = jobIds.slice(from, from + recordsAtOnce).map(job);
    const stored = await readLedger(deps, (redis) => redis.mget(names));
    for (const text of stored) jobs.push(parseWithEvent<JobRecord>(text)?.value);
  }
  return jobs;
}

const indexMember = (job: JobRecord) => `${job.createdAt}|${job.id}`;
const jobIdOf = (member: string) => member.slice(member.indexOf('|') + 1);

const jobNames = (keys: LedgerKeys, job: JobRecord) => {
  const { job: jobKey, events } = keys.tenant(job.tenant);
  return { job: jobKey(job.id), events: events(job.id) };
};

function jobKeys(keys: LedgerKeys, job: JobRecord): string[] {
  const ofTenant = keys.tenant(job.tenant);
  const { job: jobKey, events } = jobNames(keys, job);
  return [
    jobKey,
    events,
    keys.openJobs,
    ofTenant.jobs,
    ofTenant.jobsByState(job.state),
    ofTenant.jobsByNamespace(job.namespace),
    ofTenant.jobsByDocument(job.documentId),
  ];
}

function jobArgs(keys: LedgerKeys, job: JobRecord): (string | number)[] {
  return [
    JSON.stringify(job),
    indexMember(job),
    `${indexMember(job)}|${job.tenant}`,
    isTerminal(job.state) ? '1' : '0',
    keys.tenant(job.tenant).changed(job.id),
    eventsKeptMs,
    maxEventsPerJob,
  ];
}

function documentKeys(keys: LedgerKeys, job: JobRecord): string[] {
  const ofTenant = keys.tenant(job.tenant);
  const ofNamespace = keys.namespace(job);
  return [
    ofTenant.homes,
    ofTenant.versionCounters,
    ofNamespace.documents,
    ofNamespace.head,
    ofTenant.documents,
    ofNamespace.documentsByAge,
  ];
}

function documentArgs(job: JobRecord, version: number, revision: string, document: LedgerDocument | undefined) {
  const createdAt = document?.createdAt ?? '';
  return [
    job.documentId,
    job.namespace,
    revision,
    document ? JSON.stringify(document) : '',
    version,
    `${createdAt}|${job.documentId}|${job.namespace}`,
    `${createdAt}|${job.documentId}`,
  ];
}
