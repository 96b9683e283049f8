import { getPriority } from 'node:os';
import { afterEach, expect, jest, test } from '@jest/globals';
import { ChildPool, type ChildPoolOptions } from './child-pool.ts';
import { residentBytes } from './resident-bytes.ts';

// Children start slowly on a busy machine.
jest.setTimeout(60_000);

const mebibyte = 2 ** 20;
const limits = { silenceMs: 20_000, overallMs: 20_000, signal: new AbortController().signal };
let pool: ChildPool;

afterEach(() => pool.close());

function start(options: Partial<ChildPoolOptions>): void {
  pool = new ChildPool({
    entry: new URL('./testing/echo-child.ts', import.meta.url),
    size: 1,
    jobsPerChild: 100,
    recycleRssBytes: 300 * mebibyte,
    maxRssBytes: 600 * mebibyte,
    heapMiB: 64,
    dataLimitGiB: 2,
    spare: false,
    idleMs: 60_000,
    ...options,
  });
}

async function pidOf(job: object = {}): Promise<number> {
  return (await pool.run<{ pid: number }>(job, limits)).pid;
}

test('a child serves many jobs, and is replaced after its number of them', async () => {
  start({ jobsPerChild: 3 });
  const pids = [];
  for (let job = 0; job < 4; job++) pids.push(await pidOf());
  expect(new Set(pids.slice(0, 3)).size).toBe(1);
  expect(pids[3]).not.toBe(pids[0]);
});

test('a child gives way to this process', async () => {
  start({});
  expect(getPriority(await pidOf())).toBeGreaterThan(getPriority());
});

test('a child needs no home of its user: one that the system does not know has none', async () => {
  start({});
  expect(await pool.run({}, limits)).toMatchObject({ home: '/nonexistent' });
});

test('a child that has grown is replaced after its job', async () => {
  start({ recycleRssBytes: 200 * mebibyte });
  const grown = await pidOf({ takeBytes: 250 * mebibyte });
  expect(await pidOf()).not.toBe(grown);
});

test('jobs beyond the number of children wait their turn', async () => {
  start({ size: 2 });
  const pids = await Promise.all(Array.from({ length: 12 }, () => pidOf()));
  expect(pids).toHaveLength(12);
  expect(new Set(pids).size).toBeLessThanOrEqual(2);
});

test('a child of its own for every job, the next one started ahead', async () => {
  start({ jobsPerChild: 1, spare: true });
  const pids = [await pidOf(), await pidOf(), await pidOf()];
  expect(new Set(pids).size).toBe(3);
});

test('a child serves one owner only, and children of many owners do not pile up', async () => {
  start({ spare: true });
  const pidFor = async (owner: string) => (await pool.run<{ pid: number }>({}, limits, owner)).pid;
  const first = await pidFor('a');
  expect(await pidFor('a')).toBe(first);
  const others = [await pidFor('b'), await pidFor('c'), await pidFor('d')];
  expect(new Set([first, ...others]).size).toBe(4);
  expect(await residentBytes(first)).toBe(0);
});

test('where it is so wished, a child whose job failed is replaced', async () => {
  start({ replaceFailed: true });
  const before = await pidOf();
  await expect(pidOf({ fail: true })).rejects.toMatchObject({ code: 'corrupt_document' });
  expect(await pidOf()).not.toBe(before);
});

test('closing ends every child', async () => {
  start({});
  const pid = await pidOf();
  expect(await residentBytes(pid)).toBeGreaterThan(10 * mebibyte);
  await pool.close();
  expect(await residentBytes(pid)).toBe(0);
  await expect(pidOf()).rejects.toMatchObject({ code: 'cancelled' });
});
