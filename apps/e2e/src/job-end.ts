import { isTerminal, type Job } from '@semantic-memory/shared/contracts/model/job';
import type { Service } from './service.ts';

/** The job once it has ended. @throws where that takes longer than `withinMs`, with where it stands */
export async function waitForEnd(service: Service, jobId: string, withinMs = 60_000): Promise<Job> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const job = await service.client.job(jobId);
    if (isTerminal(job.state)) return job;
    if (Date.now() > deadline) throw new Error(`job ${jobId} has not ended: ${JSON.stringify(job)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits until `condition` answers something that counts as true, and returns it. */
export async function eventually<Result>(
  condition: () => Promise<Result>,
  withinMs = 30_000,
): Promise<NonNullable<Result>> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const result = await condition();
    if (result) return result;
    if (Date.now() > deadline) throw new Error(`it did not come about within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
