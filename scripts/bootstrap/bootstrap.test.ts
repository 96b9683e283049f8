import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type FakeService, startFakeService } from '@semantic-memory/client/testing/fake-service';
import { bootstrap, type Progress } from './bootstrap.ts';
import { characterErrorRate } from './error-rate.ts';
import { renderReport } from './render-report.ts';

let service: FakeService;
let folder: string;

beforeEach(async () => {
  service = await startFakeService();
  folder = await mkdtemp(join(tmpdir(), 'bootstrap-'));
  await mkdir(join(folder, 'docs'));
  await writeFile(join(folder, 'docs', 'otter.txt'), 'The otter lives at the river Glan.');
  await writeFile(join(folder, 'docs', 'heron.txt'), 'The heron waits in the reeds.');
  await writeFile(join(folder, 'docs', 'empty.txt'), '');
});
afterEach(async () => {
  await service.close();
  await rm(folder, { recursive: true });
});

const truth = {
  documents: [
    { file: 'otter.txt', state: 'succeeded', groundTruth: 'The otter lives\n\nat the river Glan.' },
    { file: 'heron.txt', state: 'succeeded' },
    { file: 'empty.txt', state: 'failed', code: 'empty_document' },
  ],
  queries: [{ query: 'heron reeds', kind: 'keyword', documents: ['heron.txt'] }],
};

async function run(expected: object | undefined, options = {}) {
  if (expected) await writeFile(join(folder, 'expected.json'), JSON.stringify(expected));
  return bootstrap({ url: service.url, token: 'token', source: join(folder, 'docs'), dataDir: folder, ...options });
}

test('a library that comes out as it must is reported so, with an archived log', async () => {
  const seen: Progress[] = [];
  const report = await run(truth, { onProgress: (progress: Progress) => seen.push(progress) });
  expect(report).toMatchObject({ ok: true, discrepancies: [], slow: [] });
  expect(report.documents.find((document) => document.file === 'otter.txt')).toMatchObject({
    state: 'succeeded',
    characterErrorRate: 0,
    stageSeconds: { parse: 1, embed: 1 },
  });
  expect(report.counts).toEqual({ documentChunks: 2, chunks: 2, vectors: 2, consistent: true });
  expect(seen.at(-1)).toMatchObject({ finished: 3, total: 3 });
  const log = (await readFile(report.logPath, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).event);
  expect(report.logPath.startsWith(join(folder, 'bootstrap'))).toBe(true);
  expect(log).toEqual(['start', 'document', 'document', 'document', 'query', 'end']);
  expect(renderReport(report)).toContain('1 of 1 queries found their documents');
});

test('each thing that is off is named: outcome, text of a picture, query, pages, and what is missing', async () => {
  const report = await run({
    documents: [
      { file: 'otter.txt', state: 'succeeded', groundTruth: 'Something else stands on it.' },
      { file: 'heron.txt', state: 'succeeded', pages: 3 },
      { file: 'empty.txt', state: 'failed', code: 'corrupt_document' },
      { file: 'gone.txt', state: 'succeeded' },
    ],
    queries: [{ query: 'heron reeds', kind: 'keyword', documents: ['otter.txt'] }],
  });
  expect(report.ok).toBe(false);
  expect(report.discrepancies.map(({ kind, subject }) => `${kind} ${subject}`).sort()).toEqual([
    'missing gone.txt',
    'ocr otter.txt',
    'outcome empty.txt',
    'pages heron.txt',
    'query heron reeds',
  ]);
  expect(renderReport(report)).toContain(
    'OFF (outcome): empty.txt: ended failed with empty_document, and must end failed with corrupt_document',
  );
});

test('without expectations every document must succeed', async () => {
  const report = await run(undefined);
  expect(report.discrepancies).toEqual([
    { kind: 'outcome', subject: 'empty.txt', message: 'ended failed with empty_document, and must end succeeded' },
  ]);
});

test('a document over the stated limit is listed with the time of each stage, and is no fault', async () => {
  const report = await run(truth, { slowSeconds: 0.5 });
  expect(report.ok).toBe(true);
  expect(report.slow.length).toBeGreaterThan(0);
  expect(renderReport(report)).toMatch(/slow \(over 0\.5 s\): \w+\.txt took 3\.0 s \(.*parse 1\.0/);
});

test('stores that do not agree are a discrepancy', async () => {
  const disagree = (request: { path: string }, response: import('node:http').ServerResponse) => {
    if (!request.path.endsWith('/stats')) return false;
    service.intercept(disagree);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ documents: 2, chunks: 2, vectors: 1, postings: 0, namespaces: [], consistent: false }),
    );
    return true;
  };
  service.intercept(disagree);
  const report = await run(truth, { settleMs: 0 });
  expect(report.discrepancies).toMatchObject([{ kind: 'counts', message: expect.stringContaining('1 vectors') }]);
});

test('a web address is fetched by the service and waited for', async () => {
  service.intercept((request, response) => {
    expect(JSON.parse(String(request.body)).source).toEqual({ type: 'url', url: 'https://example.org/a' });
    response.writeHead(403, { 'content-type': 'application/json' });
    response.end('{"error":{"code":"forbidden","message":"No.","requestId":"r"}}');
    return true;
  });
  const report = await run(undefined, { source: 'https://example.org/a' });
  expect(report.discrepancies).toMatchObject([
    { kind: 'outcome', message: 'ended refused with forbidden, and must end succeeded' },
  ]);
});

test('the files that a repository brings are waited for and counted too', async () => {
  const report = await run(undefined, { source: 'https://example.org/a.git' });
  expect(report.ok).toBe(true);
  expect(report.documents.map(({ file, state }) => [file, state])).toEqual([
    ['https://example.org/a.git', 'succeeded'],
    ['doc-1:README.md', 'succeeded'],
  ]);
});

test('a character error rate counts edits by the length of the truth, without regard to white space', () => {
  expect(characterErrorRate('the cat  sat', 'the\ncat sat ')).toBe(0);
  expect(characterErrorRate('abcd', 'abed')).toBe(0.25);
  expect(characterErrorRate('abcd', '')).toBe(1);
  expect(characterErrorRate('', '')).toBe(0);
  expect(characterErrorRate('kitten', 'sitting')).toBe(3 / 6);
});
