import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, expect, jest, test } from '@jest/globals';
import { ChildPool, type ChildPoolOptions } from './child-pool.ts';
import { residentBytes } from './resident-bytes.ts';

// Children start slowly on a busy machine.
jest.setTimeout(60_000);

const mebibyte = 2 ** 20;
const limits = { silenceMs: 20_000, overallMs: 20_000, signal: new AbortController().signal };
let pool: ChildPool;

afterEach(() => pool.close());

const echoEntry = new URL('./testing/echo-child.ts', import.meta.url);

function start(options: Partial<ChildPoolOptions>): void {
  pool = new ChildPool({
    entry: echoEntry,
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

/** The children of this process whose command line names this. */
async function childrenNaming(name: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'ppid=,args=']);
  return stdout.split('\n').filter((line) => Number.parseInt(line, 10) === process.pid && line.includes(name));
}

test('closing waits for a child that is only starting, and ends it too', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'child-pool-test-'));
  try {
    const path = join(directory, 'starting.mjs');
    await writeFile(path, 'setInterval(() => {}, 1000)');
    start({ entry: pathToFileURL(path) });
    const running = expect(pool.run({}, limits)).rejects.toMatchObject({ code: 'cancelled' });
    await wait(0);
    await pool.close();
    expect(await childrenNaming(path)).toEqual([]);
    await running;
    // One that had only been let in when the pool was closed.
    start({ entry: pathToFileURL(path) });
    const justLetIn = expect(pool.run({}, limits)).rejects.toMatchObject({ code: 'cancelled' });
    await pool.close();
    await justLetIn;
    expect(await childrenNaming(path)).toEqual([]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test('a pool whose folder could not be made tries again with the next job, and can be closed in between', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'child-pool-test-'));
  try {
    const workParent = join(directory, 'not-there-yet');
    start({ workParent });
    await expect(pidOf()).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(pool.close()).resolves.toBeUndefined();
    start({ workParent, size: 2 });
    await expect(Promise.allSettled([pidOf(), pidOf()])).resolves.toMatchObject([
      { reason: { code: 'ENOENT' } },
      { reason: { code: 'ENOENT' } },
    ]);
    await mkdir(workParent);
    expect(await pidOf()).toBeGreaterThan(0);
    expect(await readdir(workParent)).toHaveLength(1);
    await pool.close();
    expect(await readdir(workParent)).toEqual([]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test('children without work are ended after a while', async () => {
  start({ idleMs: 10 });
  const idle = await pidOf();
  while ((await residentBytes(idle)) > 0) await wait(10);
  expect(await pidOf()).not.toBe(idle);
});

test('a child started ahead that fails to start fails no job but the one that needs it', async () => {
  let starts = 0;
  const options = {
    size: 1,
    jobsPerChild: 100,
    recycleRssBytes: 300 * mebibyte,
    maxRssBytes: 600 * mebibyte,
    heapMiB: 64,
    dataLimitGiB: 2,
    spare: true,
    idleMs: 60_000,
    // No module can be taken from there.
    get entry() {
      return starts++ === 0 ? echoEntry : new URL('http://nowhere.invalid/child.ts');
    },
  } as const;
  pool = new ChildPool(options);
  const first = await pool.run<{ pid: number }>({}, limits, 'a');
  expect(await pool.run({}, limits, 'a')).toMatchObject({ pid: first.pid });
  await expect(pool.run({}, limits, 'b')).rejects.toMatchObject({ code: 'ERR_INVALID_URL_SCHEME' });
});

test('who waits for a place can give up waiting, and a job that has begun is not held up by that', async () => {
  start({});
  const waiting = new AbortController();
  const begun = pool.run<{ pid: number }>({}, { ...limits, waiting: waiting.signal });
  const second = pool.run({}, { ...limits, waiting: waiting.signal });
  const reason = new Error('somebody else takes it');
  waiting.abort(reason);
  await expect(second).rejects.toBe(reason);
  expect((await begun).pid).toBeGreaterThan(0);
});

test('compiled children are run as they are, without the conditions of the sources', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'child-pool-test-'));
  try {
    const path = join(directory, 'compiled.mjs');
    await writeFile(
      path,
      `process.on('message', ({ id }) => process.send({ id, type: 'done', json: JSON.stringify(process.execArgv) }));
      process.send({ id: 0, type: 'ready' });`,
    );
    start({ entry: pathToFileURL(path) });
    const argv = await pool.run<string[]>({}, limits);
    expect(argv).toContain('--max-old-space-size=64');
    expect(argv).not.toContain('--conditions=development');
    await pool.close();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
