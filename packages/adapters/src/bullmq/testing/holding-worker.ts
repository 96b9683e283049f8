import { createBullmqQueue } from '../job-queue.ts';
import { startTierWorker } from '../tier-worker.ts';

/**
 * A process that takes a job of tier `parse`, says so on its standard output and never finishes it, nor stops when it is told
 * to: at SIGTERM it closes as a worker does and ends. For tests that kill it.
 */
const [url = '', prefix = '', lockMs = '', stalledCheckMs = ''] = process.argv.slice(2);
const ignore = () => {};
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => logger };
const metrics = new Proxy({} as Parameters<typeof startTierWorker>[0]['metrics'], { get: () => ignore });

const desk = createBullmqQueue({ url, prefix });
const worker = startTierWorker({
  url,
  prefix,
  tier: 'parse',
  concurrency: 1,
  desk,
  logger,
  metrics,
  lockMs: Number(lockMs),
  stalledCheckMs: Number(stalledCheckMs),
  obeyWithinMs: 10,
  handle: (job) => {
    process.stdout.write(`holding ${job.name}\n`);
    return new Promise(() => {});
  },
});
process.once('SIGTERM', async () => {
  await worker.close(10);
  await desk.close();
  process.exit(0);
});
