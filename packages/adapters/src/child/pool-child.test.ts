import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, expect, jest, test } from '@jest/globals';
import { ChildFailure, PoolChild } from './pool-child.ts';

// Children start slowly on a busy machine.
jest.setTimeout(60_000);

const limits = { silenceMs: 30_000, overallMs: 30_000, signal: new AbortController().signal };
let child: PoolChild | undefined;

afterEach(() => child?.end());

/** A child of a pool that runs this program, or a command that is not there. */
function start(
  program: string,
  { command = process.execPath, args = [] as string[], startWithinMs = 30_000 } = {},
): PoolChild {
  const stdio: ['ignore', 'ignore', 'pipe', 'ipc'] = ['ignore', 'ignore', 'pipe', 'ipc'];
  const spawned: ChildProcess = spawn(command, [...args, '-e', program], { stdio });
  child = new PoolChild(spawned, { directory: '/nowhere', maxRssBytes: 2 ** 30, startWithinMs });
  return child;
}

const failureOf = (job: Promise<unknown>) =>
  job.then(
    () => 'it did its job',
    (error: unknown) => (error instanceof ChildFailure ? [error.kind, error.message] : error),
  );

test('a command that is not there cannot do a job, which is not to blame for it', async () => {
  const absent = start('', { command: '/no/such/command' });
  expect(await failureOf(absent.run({}, limits))).toEqual(['unstartable', expect.stringContaining('ENOENT')]);
  expect(absent.alive).toBe(false);
  expect(await absent.rssBytes()).toBe(0);
});

test('a child that never says that it is ready is given up', async () => {
  const silent = start('setInterval(() => {}, 1000)', { startWithinMs: 100 });
  expect(await failureOf(silent.run({}, limits))).toEqual(['unstartable', 'It did not start in time.']);
});

test('a child that has ended takes no job', async () => {
  const ended = start('');
  await ended.end();
  expect(await failureOf(ended.run({}, limits))).toEqual(['unstartable', expect.stringContaining('was ended by')]);
});

test('a child whose heap runs full is told from one that dies of something else', async () => {
  const onMessage = (act: string) => `process.on('message', () => { ${act} }); process.send({ id: 0, type: 'ready' })`;
  const hoarding = start(onMessage('const kept = []; for (;;) kept.push(Array.from({ length: 10000 }, Math.random))'), {
    args: ['--max-old-space-size=16'],
  });
  expect(await failureOf(hoarding.run({}, limits))).toEqual(['memory', expect.stringContaining('SIGABRT')]);
  const leaving = start(onMessage('process.exit(3)'));
  expect(await failureOf(leaving.run({}, limits))).toEqual(['died', expect.stringContaining('status 3')]);
});
