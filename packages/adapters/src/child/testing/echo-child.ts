import { homedir } from 'node:os';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { serveJobs } from '../serve-jobs.ts';

const kept: Buffer[] = [];

/** Answers with its process id and its home, after taking as much memory as it is told to, or fails. */
serveJobs(async (job) => {
  const { takeBytes = 0, fail = false } = job as { takeBytes?: number; fail?: boolean };
  if (fail) throw new MemoryError('corrupt_document', 'It was told to fail.');
  if (takeBytes > 0) kept.push(Buffer.alloc(takeBytes, 1));
  return { pid: process.pid, home: homedir() };
});
