import { beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import type { DryRun } from '../../contracts/model/dry-run.ts';
import { createInMemoryBuckets } from '../../testing/in-memory-buckets.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { storeOriginal } from '../accept-request.ts';
import { askDry } from './ask.ts';
import { parseDry } from './run-dry.ts';

let flow: InMemoryFlow;
beforeEach(() => {
  flow = createInMemoryFlow();
});

const never = new AbortController().signal;
const upload = { tenant: 'acme', source: { type: 'upload' as const, filename: 'notes.txt' } };

/** Asks while a worker is at work. */
async function ask(
  request: Omit<Parameters<typeof askDry>[1], 'original'>,
  text?: string,
  signal = never,
): Promise<DryRun> {
  const original = text === undefined ? undefined : await storeOriginal(flow.deps, 'acme', bytesOf(text), 1e6);
  const asked = askDry(flow.deps, { ...request, original }, signal);
  // Whoever waits for it hears of what went wrong.
  asked.catch(() => {});
  while (flow.queue.waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
  while ((await flow.runNext()) !== undefined);
  return asked;
}

async function* bytesOf(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

test('a dry run says what ingesting would come to, and leaves nothing behind', async () => {
  const page = 'The moon raises two tides a day. '.repeat(40);
  const found = await ask({ ...upload, title: 'Tides' }, `${page}\f${page}\f`);
  expect(found).toMatchObject({ mediaType: 'text/plain', pages: 3, ocrPages: 1 });
  // The same document, ingested: its two pages with text.
  flow.faults.ocr.set(3, '');
  await flow.ingest(`${page}\f${page}\f`, { title: 'Tides' });
  await flow.drain();
  const chunks = (await flow.ledger.getDocument('acme', 'notes'))?.versions[0]?.chunks ?? 0;
  const tokens = flow.embedded.reduce((sum, text) => sum + flow.deps.tokenizer.tokenize(text).length, 0);
  // 500 tokens in 3 chunks for the page that is a picture.
  expect(found).toMatchObject({ chunks: chunks + 3, tokens: tokens + 500 });
  // At 100 tokens and half a page a second, and 20 dollars for a million tokens.
  expect(found.estimatedSeconds).toBeCloseTo(2 + found.tokens / 100, 0);
  expect(found.estimatedCostUsd).toBeCloseTo((found.tokens * 20) / 1e6, 3);
  expect(found.warnings).toEqual([{ code: 'ocr_estimated', message: expect.stringContaining('1 page holds no text') }]);
});

test('a document that is all pictures has only what is assumed of them', async () => {
  const found = await ask({ tenant: 'acme', source: { type: 'upload' } }, '\f');
  expect(found).toMatchObject({ pages: 2, ocrPages: 2, chunks: 5, tokens: 1000 });
  expect(found.warnings[0]?.message).toContain('2 pages hold no text');
});

test('a fault of ours is told as that, and logged', async () => {
  const logged: string[] = [];
  Object.assign(flow.deps, { logger: { ...flow.deps.logger, error: (message: string) => void logged.push(message) } });
  flow.faults.parse = new Error('a bug');
  await expect(ask(upload, 'The moon.')).rejects.toMatchObject({ code: 'internal' });
  expect(logged).toEqual(['a dry run failed']);
});

test('nothing is written but the bytes, and these only for as long as it takes', async () => {
  await ask(upload, 'The moon.');
  expect([...flow.blobs.blobs.keys()]).toEqual([]);
  expect((await flow.ledger.listDocuments('acme', { limit: 10 })).items).toEqual([]);
  expect(flow.queue.waiting).toEqual([]);
});

test('a price that nobody has named is said to be unknown', async () => {
  Object.assign(flow.deps, { speeds: { ...flow.deps.speeds, usdPerMillionTokens: undefined } });
  const found = await ask(upload, 'The moon.');
  expect(found).toMatchObject({ chunks: 1, estimatedCostUsd: 0, warnings: [{ code: 'price_unknown' }] });
});

test('the fault that a job would end with is thrown, with its hint and what was found out', async () => {
  flow.faults.parse = new MemoryError('unsupported_type', 'No parser reads it.', {
    hint: 'Send a PDF.',
    details: ['x'],
  });
  await expect(ask(upload, 'MZ')).rejects.toMatchObject({
    code: 'unsupported_type',
    hint: 'Send a PDF.',
    details: ['x'],
  });
  expect([...flow.blobs.blobs.keys()]).toEqual([]);
});

test('a document that kills its readers is not read once more', async () => {
  const original = await storeOriginal(flow.deps, 'acme', bytesOf('bomb'), 1e6);
  const asked = askDry(flow.deps, { ...upload, original }, never);
  while (flow.queue.waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const job = flow.queue.take();
  if (job?.name !== 'dryRun') throw new Error('no dry run waits');
  await parseDry(flow.deps, job.payload, { stalls: 3, signal: never });
  await expect(asked).rejects.toMatchObject({ code: 'poison_document' });
});

test('an address is fetched first, and what it says its bytes are goes with them', async () => {
  const web: typeof flow.deps.web = {
    fetch: async (url) => ({
      body: bytesOf('The moon.'),
      mediaType: 'text/plain',
      filename: 'moon.txt',
      finalUrl: url,
    }),
  };
  Object.assign(flow.deps, { web });
  const source = { type: 'url' as const, url: 'https://example.com/moon' };
  expect(await ask({ tenant: 'acme', source })).toMatchObject({ chunks: 1, pages: 1 });
  expect([...flow.blobs.blobs.keys()]).toEqual([]);
});

test('an address that holds too much, or cannot be fetched, is told so', async () => {
  const source = { type: 'url' as const, url: 'https://example.com/moon' };
  await expect(ask({ tenant: 'acme', source })).rejects.toMatchObject({ code: 'fetch_failed' });
  const web: typeof flow.deps.web = {
    fetch: async (url) => ({ body: bytesOf('x'.repeat(2e6)), finalUrl: url }),
  };
  Object.assign(flow.deps, { web });
  await expect(ask({ tenant: 'acme', source })).rejects.toMatchObject({ code: 'too_large' });
  const brokenOff = async function* () {
    yield Buffer.from('The mo');
    throw new MemoryError('fetch_failed', 'It broke off.');
  };
  Object.assign(flow.deps, { web: { fetch: async (url: string) => ({ body: brokenOff(), finalUrl: url }) } });
  await expect(ask({ tenant: 'acme', source })).rejects.toMatchObject({ code: 'fetch_failed' });
  expect([...flow.blobs.blobs.keys()]).toEqual([]);
});

test('an object of a bucket is fetched where the operator allows it, and else not asked for', async () => {
  const objects = createInMemoryBuckets({ 'moon.txt': 'The moon.' });
  Object.assign(flow.deps, { objects, allowedBuckets: [{ tenant: 'acme', bucket: 'tides', prefix: '' }] });
  const source = { type: 's3' as const, bucket: 'tides', key: 'moon.txt' };
  expect(await ask({ tenant: 'acme', source })).toMatchObject({ chunks: 1, pages: 1 });
  expect([...flow.blobs.blobs.keys()]).toEqual([]);
  await expect(ask({ tenant: 'acme', source: { ...source, bucket: 'other' } })).rejects.toMatchObject({
    code: 'fetch_forbidden',
  });
  expect(objects.asked).toEqual(['moon.txt']);
});

test.each([
  [{ type: 'git' as const, url: 'https://example.com/r.git' }],
  [{ type: 's3' as const, bucket: 'tides', prefix: '' }],
])('many documents are not one: %j', async (source) => {
  await expect(askDry(flow.deps, { tenant: 'acme', source }, never)).rejects.toMatchObject({ code: 'unprocessable' });
});

test('who has gone is not waited for, and nothing stays', async () => {
  const gone = new AbortController();
  const original = await storeOriginal(flow.deps, 'acme', bytesOf('The moon.'), 1e6);
  const asked = askDry(flow.deps, { ...upload, original }, gone.signal);
  gone.abort();
  await expect(asked).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect([...flow.blobs.blobs.keys()]).toEqual([]);
  // The worker that comes to it finds no bytes, and says so to nobody.
  await flow.runNext();
});

test('what nobody waits for any more is not read', async () => {
  const original = await storeOriginal(flow.deps, 'acme', bytesOf('The moon.'), 1e6);
  askDry(flow.deps, { ...upload, original }, never).catch(() => {});
  while (flow.queue.waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
  flow.ahead = 60_000;
  flow.faults.parse = new Error('it is read after all');
  await flow.runNext();
  expect(flow.faults.parse).toBeDefined();
});
