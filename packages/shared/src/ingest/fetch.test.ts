import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import type { GitFetcher, RepositoryFile, WebFetcher } from '../ports/fetcher.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../testing/in-memory-flow.ts';
import { accept } from './accept.ts';
import { cancelJob } from './jobs/cancel.ts';
import { retryJob } from './jobs/retry.ts';
import { readText } from './versions/read-document.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semantic-memory-fetch-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const request = { tenant: 'acme', namespace: 'default', metadata: {}, priority: 'normal', options: {} } as const;

function withWeb(fetch: WebFetcher['fetch']): InMemoryFlow {
  const flow = createInMemoryFlow();
  Object.assign(flow.deps, { web: { fetch } });
  return flow;
}

const page = (text: string) => ({
  body: (async function* () {
    yield new TextEncoder().encode(text);
  })(),
  mediaType: 'text/plain',
  filename: 'tides.txt',
  finalUrl: 'https://example.org/tides.txt',
});

async function ingestPage(flow: InMemoryFlow) {
  const source = { type: 'url', url: 'https://example.org/tides.txt' } as const;
  const job = await accept(flow.deps, { ...request, documentId: 'tides', source });
  await flow.drain();
  const ended = await flow.ledger.getJob('acme', job.id);
  if (!ended) throw new Error('the job is gone');
  return ended;
}

test('a page is fetched once, kept, and ingested like a file', async () => {
  let fetches = 0;
  const flow = withWeb(async () => {
    fetches += 1;
    return page('Spring tides follow the moon.');
  });
  flow.faults.parse = new Error('once more from the fetched copy');
  const job = await ingestPage(flow);
  expect(job).toMatchObject({ state: 'succeeded', sourceType: 'url' });
  expect(job.stages[0]).toMatchObject({ name: 'fetch', state: 'done', done: 29, total: 29 });
  expect(fetches).toBe(1);
  expect(await readText(flow.deps, 'acme', 'tides')).toBe('Spring tides follow the moon.');
  const document = await flow.ledger.getDocument('acme', 'tides');
  expect(document).toMatchObject({ title: 'tides.txt', versions: [{ bytes: 29 }] });
});

test.each([
  ['https://example.org/papers/tide%20tables.pdf?key=secret', 'tide tables.pdf'],
  ['https://example.org/papers/', 'papers'],
  ['https://keeper:secret@example.org:8443/?key=secret', 'example.org:8443'],
])('what was fetched from %s is called %s: no password and no key is in a title', async (url, title) => {
  const flow = withWeb(async () => page('Spring tides follow the moon.'));
  await accept(flow.deps, { ...request, documentId: 'tides', source: { type: 'url', url } });
  await flow.drain();
  expect(await flow.ledger.getDocument('acme', 'tides')).toMatchObject({ title });
});

test('a page larger than the limit is too large, and nothing of it is kept', async () => {
  const flow = withWeb(async () => page('x'.repeat(1_000_001)));
  expect(await ingestPage(flow)).toMatchObject({ state: 'failed', error: { code: 'too_large' } });
  expect([...flow.blobs.blobs.keys()].filter((key) => /^uploads\/|\/original$/.test(key))).toEqual([]);
});

test('an address that is refused ends the job with that reason', async () => {
  const flow = withWeb(() => Promise.reject(new MemoryError('fetch_forbidden', 'That address is inside.')));
  expect(await ingestPage(flow)).toMatchObject({ state: 'failed', stage: 'fetch', error: { code: 'fetch_forbidden' } });
});

/** A repository with these files; counts its checkouts that were not disposed of. */
async function withRepository(files: Record<string, string>): Promise<{ flow: InMemoryFlow; open: () => number }> {
  let open = 0;
  const listed: RepositoryFile[] = [];
  for (const [index, [path, text]] of Object.entries(files).entries()) {
    const localPath = join(folder, `${index}-${Math.random()}`);
    await writeFile(localPath, text);
    listed.push({ path, localPath, bytes: Buffer.byteLength(text) });
  }
  const checkout: GitFetcher['checkout'] = async () => {
    open += 1;
    return {
      commit: 'c0ffee',
      files: listed,
      dispose: async () => {
        open -= 1;
      },
    };
  };
  const flow = createInMemoryFlow();
  Object.assign(flow.deps, { git: { checkout } });
  return { flow, open: () => open };
}

async function ingestRepository(flow: InMemoryFlow, source: { include?: string[]; exclude?: string[] } = {}) {
  const job = await accept(flow.deps, {
    ...request,
    documentId: 'library',
    metadata: { team: 'sea' },
    source: { type: 'git', url: 'https://example.org/library.git', ...source },
  });
  const parent = async () => {
    const record = await flow.ledger.getJob('acme', job.id);
    if (!record) throw new Error('the job is gone');
    return record;
  };
  return { job, parent };
}

test('however many files are empty, those that could not be ingested are named', async () => {
  const empty = Object.fromEntries(Array.from({ length: 120 }, (_, number) => [`m${number}/__init__.py`, '']));
  const { flow } = await withRepository({ ...empty, 'a.md': 'One.', 'b.md': 'Two.' });
  const { parent } = await ingestRepository(flow);
  await flow.runNext();
  flow.faults.parse = new MemoryError('corrupt_document', 'It ends early.');
  await flow.drain();
  const { state, warnings } = await parent();
  expect(state).toBe('partial');
  expect(warnings[0]).toMatchObject({ code: 'corrupt_document' });
  expect(warnings[1]).toEqual({ code: 'skipped_empty', message: 'm0/__init__.py is empty.' });
  expect(warnings.at(-1)).toEqual({ code: 'more', message: '72 more became no document.' });
});

test('each wanted file becomes a document; the job waits for them and then ends', async () => {
  const { flow, open } = await withRepository({ 'a.md': 'One.', 'docs/b.md': 'Two.', 'c.txt': 'No.', 'd.md': '' });
  const { parent } = await ingestRepository(flow, { include: ['*.md'] });
  await flow.runNext();
  expect(open()).toBe(0);
  expect(flow.queue.waiting.map((job) => job.name).sort()).toEqual(['parse', 'parse', 'settle']);
  await flow.drain();
  expect(await parent()).toMatchObject({
    state: 'succeeded',
    progress: 1,
    warnings: [{ code: 'skipped_empty', message: 'd.md is empty.' }],
  });
  expect(await readText(flow.deps, 'acme', 'library:docs:b.md')).toBe('Two.');
  expect(await flow.ledger.getDocument('acme', 'library:a.md')).toMatchObject({
    title: 'a.md',
    metadata: { team: 'sea', path: 'a.md', commit: 'c0ffee' },
  });
  expect(await flow.ledger.getDocument('acme', 'library:c.txt')).toBeUndefined();
  expect(await flow.ledger.getDocument('acme', 'library')).toBeUndefined();
});

test('fetching a repository again after a crash makes no second set of jobs', async () => {
  const { flow } = await withRepository({ 'a.md': 'One.', 'b.md': 'Two.' });
  const { parent } = await ingestRepository(flow);
  const [fetch] = flow.queue.waiting;
  if (!fetch) throw new Error('nothing was queued');
  const addChild = flow.ledger.addChild;
  let calls = 0;
  flow.ledger.addChild = async (...args) => {
    calls += 1;
    if (calls === 2) throw new Error('killed between two files');
    await addChild(...args);
  };
  await expect(flow.runNext()).rejects.toThrow();
  await flow.drain();
  expect(await parent()).toMatchObject({ state: 'succeeded' });
  const { items } = await flow.ledger.listJobs('acme', { limit: 100 });
  expect(items.length).toBe(3);
});

test('a repository that takes long makes way for others who wait, and goes on where it was', async () => {
  const { flow, open } = await withRepository({ 'a.md': 'One.', 'b.md': 'Two.', 'c.md': 'Three.' });
  const { parent } = await ingestRepository(flow);
  const { addChild } = flow.ledger;
  flow.ledger.addChild = async (...args) => {
    await addChild(...args);
    flow.ahead += 4_000;
  };
  flow.faults.othersWait = true;
  await expect(flow.runNext()).rejects.toMatchObject({ retry: { kind: 'yield' } });
  expect(open()).toBe(0);
  // Two files took eight seconds, of which five are had in any case.
  expect(flow.queue.waiting.map((job) => job.name).sort()).toEqual(['fetch', 'parse', 'parse']);
  flow.faults.othersWait = false;
  await flow.drain();
  expect(await parent()).toMatchObject({ state: 'succeeded' });
  expect((await flow.ledger.listJobs('acme', { limit: 100 })).items).toHaveLength(4);
});

test('a file that cannot be ingested makes the job partial and is named; none at all makes it fail', async () => {
  const { flow } = await withRepository({ 'a.md': 'One.', 'b.md': '\n' });
  flow.faults.ocr.set(1, '');
  const { parent } = await ingestRepository(flow);
  await flow.drain();
  expect(await parent()).toMatchObject({ state: 'partial' });
  expect((await parent()).warnings.map(({ message }) => message).join()).toContain('library:b.md ended failed');

  const bad = await withRepository({ 'b.md': '\n' });
  bad.flow.faults.ocr.set(1, '');
  const { parent: badParent } = await ingestRepository(bad.flow);
  await bad.flow.drain();
  expect(await badParent()).toMatchObject({ state: 'failed', error: { code: 'fetch_failed' } });
});

test('the job of a repository can be retried once its files were, and ends as they did', async () => {
  const { flow } = await withRepository({ 'a.md': 'One.', 'b.md': 'Two.' });
  flow.faults.embed = new MemoryError('embedding_rejected', 'The model refuses it.');
  const { job, parent } = await ingestRepository(flow);
  await flow.drain();
  expect(await parent()).toMatchObject({ state: 'partial' });
  const { items } = await flow.ledger.listJobs('acme', { state: 'failed', limit: 10 });
  expect(items.length).toBe(1);
  for (const { id } of items) await retryJob(flow.deps, 'acme', id);
  await retryJob(flow.deps, 'acme', job.id);
  await flow.drain();
  expect(await parent()).toMatchObject({ state: 'succeeded', run: 1, warnings: [] });
});

test('a repository that failed half-way and is retried brings the other half, and tries again what had failed', async () => {
  const { flow } = await withRepository({ 'a.md': 'One.', 'b.md': 'Two.', 'c.md': 'Three.' });
  const { job, parent } = await ingestRepository(flow);
  const { createJob } = flow.ledger;
  let made = 0;
  flow.ledger.createJob = async (...args) => {
    made += 1;
    if (made > 2) throw new Error('nothing more can be recorded');
    return createJob(...args);
  };
  flow.faults.embed = new MemoryError('embedding_rejected', 'The model refuses it.');
  await flow.drain();
  flow.ledger.createJob = createJob;
  expect(await parent()).toMatchObject({ state: 'failed', stage: 'fetch' });
  await retryJob(flow.deps, 'acme', job.id);
  await flow.drain();
  expect(await parent()).toMatchObject({ state: 'succeeded', run: 1 });
  const { items } = await flow.ledger.listJobs('acme', { limit: 100 });
  expect(items.map(({ state }) => state)).toEqual(Array(4).fill('succeeded'));
  for (const path of ['a.md', 'b.md', 'c.md']) {
    const document = await flow.ledger.getDocument('acme', `library:${path}`);
    expect(document?.versions).toMatchObject([{ version: 1, state: 'active' }]);
  }
});

test('a file that is accepted while its repository is being cancelled is cancelled too', async () => {
  const { flow } = await withRepository({ 'a.md': 'One.' });
  const { job, parent } = await ingestRepository(flow);
  const { createJob } = flow.ledger;
  flow.ledger.createJob = async (...args) => {
    await createJob(...args);
    // Whoever cancels asks which files there are a moment before this one is known as one of them.
    await cancelJob(flow.deps, 'acme', job.id);
  };
  await flow.drain();
  expect(await parent()).toMatchObject({ state: 'cancelled' });
  const { items } = await flow.ledger.listJobs('acme', { limit: 100 });
  expect(items.map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
});

test('a repository without a wanted file is empty', async () => {
  const { flow, open } = await withRepository({ 'a.md': 'One.' });
  const { parent } = await ingestRepository(flow, { include: ['*.pdf'] });
  await flow.drain();
  expect(await parent()).toMatchObject({ state: 'failed', error: { code: 'empty_document' } });
  expect(open()).toBe(0);
});
