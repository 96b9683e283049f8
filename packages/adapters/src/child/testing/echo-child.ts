import { serveJobs } from '../serve-jobs.ts';

const kept: Buffer[] = [];

/** Answers with its process id, after taking as much memory as it is told to. */
serveJobs(async (job) => {
  const { takeBytes = 0 } = job as { takeBytes?: number };
  if (takeBytes > 0) kept.push(Buffer.alloc(takeBytes, 1));
  return { pid: process.pid };
});
