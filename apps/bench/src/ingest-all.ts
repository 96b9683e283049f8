import { inParallel } from '@semantic-memory/client/in-parallel';
import type { Service } from '@semantic-memory/e2e/service';
import type { Job } from '@semantic-memory/shared/contracts/model/job';

const postsAtOnce = 8;
// Looking is work too, for the same cores. The end is taken from the jobs, so that looking seldom changes no figure.
const lookEveryMs = 1000;

export interface IngestRun {
  readonly seconds: number;
  readonly documents: number;
  readonly chunks: number;
  readonly states: Readonly<Record<string, number>>;
}

/**
 * Posts everything into a namespace that is empty before, a few requests at a time, and waits until each job has ended.
 * Seconds count from the first job's acceptance to the last one's end.
 */
export async function ingestAll(
  service: Service,
  namespace: string,
  posts: readonly (() => Promise<unknown>)[],
): Promise<IngestRun> {
  await inParallel(posts, postsAtOnce, (post) => post());
  while (await hasOpenJobs(service, namespace)) await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  const jobs = await allJobs(service, namespace);
  const states: Record<string, number> = {};
  for (const { state } of jobs) states[state] = (states[state] ?? 0) + 1;
  const startedAt = Math.min(...jobs.map((job) => Date.parse(job.createdAt)));
  const endedAt = Math.max(...jobs.map((job) => Date.parse(job.finishedAt ?? job.updatedAt)));
  const stats = await service.client.stats();
  const chunks = stats.namespaces.find((entry) => entry.namespace === namespace)?.chunks ?? 0;
  return { seconds: (endedAt - startedAt) / 1000, documents: jobs.length, chunks, states };
}

async function hasOpenJobs(service: Service, namespace: string): Promise<boolean> {
  for (const state of ['queued', 'running', 'waiting'] as const) {
    if ((await service.client.jobs({ namespace, state, limit: 1 })).items.length > 0) return true;
  }
  return false;
}

async function allJobs(service: Service, namespace: string): Promise<Job[]> {
  const jobs: Job[] = [];
  let cursor: string | undefined;
  do {
    const page = await service.client.jobs({ namespace, limit: 100, cursor });
    jobs.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return jobs;
}
