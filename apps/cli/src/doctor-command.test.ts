import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { sendError, sendJson } from '@semantic-memory/client/testing/fake-routes';
import { deserted, type FakeService, startFakeService } from '@semantic-memory/client/testing/fake-service';
import type { ErrorCode } from '@semantic-memory/shared/contracts/errors';
import type { Io } from './io.ts';
import { runCommand } from './testing/run-command.ts';

let service: FakeService;
const doctor = (args: string[] = [], io: Partial<Io> = {}) =>
  runCommand(service, ['doctor', ...args], {
    env: { SEMANTIC_MEMORY_URL: service.url, JWT_SECRET: 'a secret of the test' },
    ...io,
  });
/** Answers the next request of that path with it. */
const answerWith = (path: string, body: unknown, status = 200) =>
  service.intercept((request, response) => {
    if (!request.path.endsWith(path)) return false;
    sendJson(response, status, body);
    return true;
  });
const refuse = (path: string, status: number, code: ErrorCode) =>
  service.intercept((request, response) => {
    if (!request.path.endsWith(path)) return false;
    sendError(response, status, code);
    return true;
  });
const dependency = (state: 'up' | 'down', needed: boolean) => ({ state, needed, tookMs: 3 });
const stats = { documents: 2, chunks: 5, vectors: 4, postings: 5, namespaces: [], consistent: false };

beforeEach(async () => {
  service = await startFakeService();
});
afterEach(() => service.close());

test('where all is well it says what it looked at', async () => {
  answerWith('/ready', { state: 'ready', dependencies: { redis: dependency('up', true) } });
  const { status, out, err } = await doctor();
  expect([status, err]).toEqual([0, '']);
  expect(out.split('\n')).toEqual([
    `ok       service    ${service.url} is ready`,
    'ok       redis      up, answered in 3 ms',
    expect.stringMatching(/^ok {7}token {6}tenant demo, memory:read memory:write memory:admin, until \d{4}-\d\d-\d\dT/),
    'ok       stores     0 documents, 0 chunks, 0 vectors; all agree',
    'ok       queues     nothing waits without being worked on',
    '',
  ]);
});

test('what is down is broken where nothing goes without it, else a warning', async () => {
  answerWith(
    '/ready',
    {
      state: 'not ready',
      dependencies: {
        blobs: dependency('up', true),
        redis: dependency('down', true),
        chroma: dependency('down', false),
      },
    },
    503,
  );
  answerWith('/stats', stats);
  const { status, out } = await doctor(['--json']);
  expect(status).toBe(1);
  const { healthy, findings } = JSON.parse(out);
  expect(healthy).toBe(false);
  expect(findings.map(({ check, state }: { check: string; state: string }) => `${check} ${state}`)).toEqual([
    ...['service broken', 'blobs ok', 'redis broken', 'chroma warning', 'token ok', 'stores warning', 'queues ok'],
  ]);
});

test('a warning alone leaves the exit status 0, and what to try stands below it', async () => {
  answerWith('/stats', stats);
  const { status, out } = await doctor([], { terminal: true });
  expect(status).toBe(0);
  expect(out).toContain('\u001b[1mwarning  stores     2 documents, 5 chunks, 4 vectors; they do not agree\u001b[22m\n');
  expect(out).toContain(
    `\n${' '.repeat(20)}While documents are ingested that is so; else: semantic-memory admin reconcile.\n`,
  );
});

test('of a service that is not there nothing else is asked', async () => {
  const { status, out } = await doctor(['--url', await deserted()]);
  expect(status).toBe(1);
  expect(out).toMatch(/^broken {3}service {4}No connection to .*ECONNREFUSED\.\n +Is it running\?.*make up.*\n$/);
  expect((await doctor(['--url', 'nowhere'])).out).toMatch(/^broken {3}service {4}"nowhere" is no address/);
});

test('without a secret or a token it says where it looked', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cli-doctor-'));
  const { status, out } = await doctor([], { env: { SEMANTIC_MEMORY_URL: service.url, DATA_DIR: folder } });
  await rm(folder, { recursive: true });
  expect(status).toBe(1);
  expect(out).toContain(`broken   token      No token: give one by --token`);
  expect(out).toContain(`looked in: ${folder}`);
});

test('a token that is refused is told with what to do, which depends on where it comes from', async () => {
  refuse('/stats', 401, 'unauthenticated');
  const made = await doctor();
  expect(made.status).toBe(1);
  expect(made.out).toMatch(
    /broken {3}token {6}It is unauthenticated\.\n +It was made here: name the JWT_SECRET or the DATA_DIR/,
  );
  refuse('/stats', 401, 'unauthenticated');
  expect((await doctor(['--token', 'a.b.c'])).out).toMatch(/broken {3}token {6}It is unauthenticated\.\n +A hint\./);
  refuse('/stats', 503, 'dependency_unavailable');
  expect((await doctor()).out).toMatch(/broken {3}token {6}It is dependency_unavailable\./);
});

test('what waits long while nothing is worked on is broken; without the scope the queues are left out', async () => {
  const idle = { waiting: 7, active: 0, delayed: 0, failed: 0, oldestWaitSeconds: 90.4 };
  answerWith('/queues', {
    queues: [
      { tier: 'ocr', ...idle },
      { tier: 'parse', ...idle, active: 1 },
    ],
  });
  const wedged = await doctor();
  expect(wedged.status).toBe(1);
  expect(wedged.out).toMatch(
    /broken {3}queues {5}tier ocr: 7 wait, the oldest for 90 s, and none is worked on\n +Is a worker of tier ocr running\?/,
  );
  refuse('/queues', 403, 'forbidden');
  expect(await doctor()).toMatchObject({ status: 0, out: expect.stringContaining('not examined: the token lacks') });
  refuse('/queues', 500, 'internal');
  expect(await doctor()).toMatchObject({
    status: 1,
    out: expect.stringContaining('broken   queues     It is internal.'),
  });
});

test('Ctrl-C ends it', async () => {
  const interrupt = new AbortController();
  interrupt.abort(new Error('interrupted'));
  expect(await doctor([], { signal: interrupt.signal })).toMatchObject({ status: 130, out: '' });
});
