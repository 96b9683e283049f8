import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { deserted, type FakeService, startFakeService } from '@semantic-memory/client/testing/fake-service';
import { runCli } from './program.ts';

let service: FakeService;
let folder: string;
beforeEach(async () => {
  service = await startFakeService();
  folder = await mkdtemp(join(tmpdir(), 'cli-dry-'));
  await writeFile(join(folder, 'otter.txt'), 'The otter lives at the river Glan.');
  await writeFile(join(folder, 'heron.txt'), 'The heron waits in the reeds.');
});
afterEach(async () => {
  await service.close();
  await rm(folder, { recursive: true });
});

async function run(args: string[], url = service.url) {
  let [out, err] = ['', ''];
  const status = await runCli(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    ...{ terminal: false, columns: 80, env: { SEMANTIC_MEMORY_URL: url, SEMANTIC_MEMORY_TOKEN: 'token' } },
    signal: new AbortController().signal,
  });
  return { status, out, err };
}

test('a dry run tells what each document and all of them would come to, and ingests nothing', async () => {
  const { status, out } = await run(['ingest', folder, '--dry-run']);
  expect(status).toBe(0);
  expect(out).toContain('would     otter.txt  text/plain, 2 pages (1 by OCR), 1 chunk, 10 tokens\n');
  expect(out).toContain('          ocr_estimated: 1 page holds no text.\n');
  expect(out).toMatch(/2 of 2 would be ingested: 2 chunks, 20 tokens, 2 pages by OCR, about 5\.0 s and \$0\.0002\n$/);
  expect(service.documents.size).toBe(0);
});

test('what would be refused makes the exit status 1, and is told with code and hint', async () => {
  await writeFile(join(folder, 'noise.bin'), 'x');
  const { status, out } = await run(['ingest', folder, '--dry-run']);
  expect(status).toBe(1);
  expect(out).toContain('refused   noise.bin\n          unsupported_type: It is unsupported_type. A hint.\n');
  expect(out).toContain('2 of 3 would be ingested, 1 not');
});

test('what costs nothing, needs no OCR, or is refused without a hint is told without them', async () => {
  const found = { mediaType: 'text/plain', pages: 1, ocrPages: 0, chunks: 3, tokens: 1, warnings: [] };
  service.intercept(({ query }, response) => {
    if (query.get('dryRun') !== 'true') return false;
    response.end(JSON.stringify({ ...found, estimatedSeconds: 1, estimatedCostUsd: 0 }));
    return true;
  });
  const { out } = await run(['ingest', join(folder, 'otter.txt'), '--dry-run']);
  expect(out).toContain('text/plain, 1 page, 3 chunks, 1 token\n');
  expect(out).toMatch(/about 1\.0 s\n$/);
  service.intercept((_, response) => {
    const error = { code: 'empty_document', message: 'It is empty.', requestId: 'r' };
    response.writeHead(422, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
    return true;
  });
  const refused = await run(['ingest', join(folder, 'otter.txt'), '--dry-run']);
  expect(refused.out).toContain('          empty_document: It is empty.\n');
});

test('scripts get one JSON object from a dry run, of web addresses too', async () => {
  const { status, out } = await run(['--json', 'ingest', 'https://example.com/a', '--dry-run']);
  expect(status).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    ...{ documents: 1, refused: 0, tokens: 10, estimatedSeconds: 2.5 },
    items: [{ path: 'https://example.com/a', dryRun: { mediaType: 'text/plain' } }],
  });
});

test('nothing to read, or nobody to ask, is an error', async () => {
  const empty = await mkdtemp(join(folder, 'empty-'));
  expect((await run(['ingest', empty, '--dry-run'])).err).toContain('nothing to ingest');
  expect((await run(['ingest', folder, '--dry-run'], await deserted())).status).not.toBe(0);
});
