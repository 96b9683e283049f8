import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import type { Parser } from '@semantic-memory/shared/ports/parser';
import { isolationReport } from '../child/isolation.ts';
import { type ChildParserOptions, createChildParser } from './parser.ts';

// Children start slowly on a busy machine.
jest.setTimeout(60_000);

const limits = { maxBytes: 1e6, maxPages: 10, maxInflatedBytes: 1e6, maxImagePixels: 1e6 };
const childEntry = new URL('./testing/misbehaving-child.ts', import.meta.url);
let directory: string;
let parser: Parser | undefined;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isolation-test-'));
});
afterEach(() => parser?.close());
afterAll(() => rm(directory, { recursive: true, force: true }));

function start(options: ChildParserOptions): void {
  parser = createChildParser({ processes: 1, childEntry, ...options });
}

let files = 0;
/** @param ending `txt` is parsed in the shared child, `md` in one of its own. */
async function obey(order: string, ending: 'txt' | 'md', signal = new AbortController().signal): Promise<string> {
  const filename = `${files++}.${ending}`;
  const path = join(directory, filename);
  await writeFile(path, order);
  const extraction = await parser!.parse({ tenant: 'test', path, filename, limits }, signal);
  return extraction.pages[0]!.text;
}

test.each(['txt', 'md'] as const)(
  'a parser in an endless loop is killed at its deadline (%s), and the next document is parsed',
  async (ending) => {
    start({ pageMs: 1500 });
    const startedAt = Date.now();
    await expect(obey('loop', ending)).rejects.toMatchObject({
      code: 'limits_exceeded',
      message: expect.stringContaining('time'),
    });
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    expect(await obey('hello', ending)).toBe('hello');
  },
);

test('a parser that takes too much memory is killed, and the next document is parsed', async () => {
  start({ maxRssBytes: 250 * 2 ** 20 });
  await expect(obey('hoard', 'md')).rejects.toMatchObject({
    code: 'limits_exceeded',
    message: expect.stringContaining('memory'),
  });
  expect(await obey('hello', 'md')).toBe('hello');
});

test('a crash is a fault of ours, to be tried again', async () => {
  start({});
  await expect(obey('crash', 'md')).rejects.toMatchObject({
    code: 'internal',
    retry: { kind: 'backoff' },
    message: expect.stringContaining('SIGABRT'),
  });
  expect(await obey('hello', 'txt')).toBe('hello');
});

test('an abort ends the child and rejects with its reason', async () => {
  start({});
  expect(await obey('hello', 'txt')).toBe('hello');
  const controller = new AbortController();
  const looping = obey('loop', 'txt', controller.signal);
  const waiting = obey('loop', 'txt', controller.signal);
  const reason = new Error('cancelled by the test');
  setTimeout(() => controller.abort(reason), 200);
  await expect(looping).rejects.toBe(reason);
  await expect(waiting).rejects.toBe(reason);
  expect(await obey('hello', 'txt')).toBe('hello');
});

test('closing rejects what is under way', async () => {
  start({});
  const looping = obey('loop', 'txt');
  setTimeout(() => parser!.close(), 500);
  await expect(looping).rejects.toMatchObject({ code: 'cancelled' });
});

test('children learn nothing of the environment', async () => {
  // Set for all of jest: what a test adds to its own copy of the environment no child would inherit anyway.
  const { TEST_REDIS_URL: known = '' } = process.env;
  expect(known).toContain('redis://');
  start({});
  expect(await obey('environment', 'md')).not.toContain(known);
});

test('children have no network where the host allows that, and the report says what is missing', async () => {
  start({});
  const report = await isolationReport();
  // Without a network there is not even a loopback device that could refuse.
  expect(await obey('network', 'md')).toContain(report.network ? 'ENETUNREACH' : 'ECONNREFUSED');
  expect(report.missing).toHaveLength(
    [report.network, report.memoryLimit, report.diesWithParent].filter((has) => !has).length,
  );
});
