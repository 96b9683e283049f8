import { startTierWorker } from '../tier-worker.ts';

/** A process that takes a job of tier `parse`, says so on its standard output and never finishes it. For tests that kill it. */
const [url = '', prefix = '', lockMs = '', stalledCheckMs = ''] = process.argv.slice(2);
const ignore = () => {};
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => logger };
const metrics = new Proxy({} as Parameters<typeof startTierWorker>[0]['metrics'], { get: () => ignore });

startTierWorker({
  url,
  prefix,
  tier: 'parse',
  concurrency: 1,
  logger,
  metrics,
  lockMs: Number(lockMs),
  stalledCheckMs: Number(stalledCheckMs),
  handle: (job) => {
    process.stdout.write(`holding ${job.name}\n`);
    return new Promise(() => {});
  },
});
