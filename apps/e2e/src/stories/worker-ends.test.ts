import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createBullmqQueue } from '@semantic-memory/adapters/bullmq/job-queue';
import { parseJobFor } from '@semantic-memory/shared/testing/job-queue-suite';
import { type DeafGate, openDeafGate } from '../deaf-gate.ts';
import { eventually } from '../job-end.ts';
import { createReplica, type Replica } from '../replica.ts';

/* How a worker process ends: by its watchdog, and when it is told to while Redis does not hear it. */

const redisUrl = process.env.TEST_REDIS_URL ?? '';
const graceMs = 1000;
/** For closing connections and children, beyond the grace. */
const closingMs = 5000;

let folder: string;
let gate: DeafGate;
let queue: ReturnType<typeof createBullmqQueue>;
let worker: Replica;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semantic-memory-worker-ends-'));
  gate = await openDeafGate(redisUrl);
  const prefix = `worker-ends-${process.pid}-${Date.now()}`;
  queue = createBullmqQueue({ url: redisUrl, prefix });
  worker = createReplica('worker', 'worker', {
    // Maintenance makes the ledger, which is not there at first.
    TIERS: 'parse,maintenance',
    DATA_DIR: folder,
    REDIS_URL: gate.url,
    QUEUE_PREFIX: prefix,
    CHROMA_HOST: process.env.TEST_CHROMA_HOST ?? '',
    CHROMA_PORT: process.env.TEST_CHROMA_PORT ?? '',
    WATCHDOG_AFTER_MS: '1000',
    SHUTDOWN_GRACE_MS: String(graceMs),
  });
  await worker.start();
}, 60_000);

afterEach(async () => {
  await worker.end('SIGKILL');
  await queue.close();
  await gate.close();
  await rm(folder, { recursive: true, force: true });
});

/** Jobs that nobody knows: a step of such a job is over at once. */
const addJobs = (count: number) => queue.add(Array.from({ length: count }, () => parseJobFor()));
const emptied = () =>
  eventually(async () => {
    const parse = (await queue.counts()).find(({ tier }) => tier === 'parse');
    return parse && parse.waiting + parse.active + parse.delayed === 0;
  });

test('a worker that has gone deaf to its queue, on a Redis that works, ends so that it is started anew', async () => {
  await addJobs(2);
  await emptied();
  gate.deafen('queue');
  await addJobs(2);
  const deafAt = Date.now();
  expect(await worker.exited).toBe(1);
  expect(Date.now() - deafAt).toBeLessThan(20_000);
  expect(worker.output.join('\n')).toContain('jobs wait and the worker takes none');
}, 60_000);

test('a worker that has nothing to do, or whose Redis does not hear anyone, stays', async () => {
  let ended = false;
  void worker.exited.then(() => {
    ended = true;
  });
  // Several times what the watchdog waits for: first without a job, then with jobs and without a Redis.
  const idleUntil = Date.now() + 4000;
  await eventually(async () => ended || Date.now() > idleUntil);
  gate.deafen('all');
  await addJobs(2);
  const deafUntil = Date.now() + 6000;
  await eventually(async () => ended || Date.now() > deafUntil);
  expect(ended).toBe(false);
  gate.restore();
  await emptied();
  expect(ended).toBe(false);
}, 90_000);

test('a worker that is told to end while Redis is away ends within its grace', async () => {
  await addJobs(2);
  await emptied();
  gate.deafen('all');
  const startedAt = Date.now();
  const status = await worker.end('SIGTERM');
  expect(typeof status).toBe('number');
  expect(Date.now() - startedAt).toBeLessThan(graceMs + closingMs + 1000);
}, 60_000);

test('a second signal ends a worker at once', async () => {
  gate.deafen('all');
  const ending = worker.end('SIGTERM');
  await eventually(async () => worker.output.some((line) => line.includes('shutting down')));
  const askedAt = Date.now();
  expect(await worker.end('SIGTERM')).toBe(1);
  await ending;
  expect(Date.now() - askedAt).toBeLessThan(1000);
}, 60_000);
