import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { deserted, type FakeService, startFakeService } from '@semantic-memory/client/testing/fake-service';
import jwt from 'jsonwebtoken';
import type { Io } from './io.ts';
import { runCommand } from './testing/run-command.ts';

let service: FakeService;
let folder: string;

beforeEach(async () => {
  service = await startFakeService();
  folder = await mkdtemp(join(tmpdir(), 'cli-'));
});
afterEach(async () => {
  await service.close();
  await rm(folder, { recursive: true });
});

const run = (args: string[], io: Partial<Io> = {}) => runCommand(service, args, io);

async function writeSamples() {
  await mkdir(join(folder, 'deep'));
  await mkdir(join(folder, 'node_modules'));
  await writeFile(join(folder, 'otter.txt'), 'The otter lives at the river Glan.');
  await writeFile(join(folder, 'deep', 'heron.txt'), 'The heron waits in the reeds.');
  await writeFile(join(folder, '.hidden'), 'No.');
  await writeFile(join(folder, 'node_modules', 'index.js'), 'No.');
}

test('a folder is ingested with all below it, without dot files and node_modules', async () => {
  await writeSamples();
  const { status, out } = await run(['ingest', folder, '--ids-from-path', '-n', 'birds']);
  expect(status).toBe(0);
  expect(out).toMatch(/succeeded deep\/heron\.txt {2}deep-heron\.txt\n/);
  expect(out).toMatch(/2 of 2 succeeded in \d+\.\d s\n$/);
  expect([...service.documents.keys()].sort()).toEqual(['deep-heron.txt', 'otter.txt']);
  expect(String(service.requests[0]?.body)).toContain('name="namespace"\r\n\r\nbirds');
});

test('one document that fails makes the exit status 1, and is told with code and hint', async () => {
  await writeSamples();
  await writeFile(join(folder, 'noise.bin'), 'x');
  const { status, out } = await run(['ingest', folder]);
  expect(status).toBe(1);
  expect(out).toContain(
    'failed    noise.bin\n          unsupported_type: The document is unsupported_type. Send another',
  );
  expect(out).toMatch(/2 of 3 succeeded, 1 not in/);
});

test('scripts get one JSON object from ingest', async () => {
  await writeSamples();
  const { status, out } = await run(['--json', 'ingest', join(folder, 'otter.txt'), '--id', 'otter']);
  expect(status).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    succeeded: 1,
    failed: 0,
    items: [{ path: join(folder, 'otter.txt'), job: { documentId: 'otter', state: 'succeeded' } }],
  });
});

test('without waiting, a document counts when it is accepted', async () => {
  await writeSamples();
  const { status, out } = await run(['ingest', '--no-wait', folder]);
  expect(status).toBe(0);
  expect(out).toContain('2 of 2 accepted');
  expect(service.requests.every((request) => request.path.endsWith('/ingest'))).toBe(true);
});

test('a progress bar is drawn where somebody watches', async () => {
  await writeSamples();
  let drawn = '';
  const stream = new Writable({
    write(chunk, _, done) {
      drawn += chunk;
      done();
    },
  });
  const progressStream = Object.assign(stream, { isTTY: true, columns: 100, cursorTo: () => true }) as Writable;
  const { out } = await run(['ingest', folder], { terminal: true, progressStream });
  expect(out).toContain('2 of 2 succeeded');
  expect(drawn.length).toBeGreaterThan(0);
});

test('a path that is not there, one id for many files and an empty folder are told before anything is sent', async () => {
  await writeSamples();
  await mkdir(join(folder, 'empty'));
  for (const [args, message] of [
    [[join(folder, 'nowhere')], 'There is no file or folder'],
    [[folder, '--id', 'x'], '--id is for one document, and there are 2'],
    [[join(folder, 'empty')], 'There is nothing to ingest there'],
  ] as const) {
    const { status, err } = await run(['ingest', ...args]);
    expect(status).toBe(1);
    expect(err).toContain(message);
  }
  expect(service.requests).toHaveLength(0);
});

test.each([
  ['https://example.org/a.git', { type: 'git', url: 'https://example.org/a.git' }],
  ['https://example.org/a', { type: 'url', url: 'https://example.org/a' }],
  ['s3://reports/2026/may.pdf', { type: 's3', bucket: 'reports', key: '2026/may.pdf' }],
  ['s3://reports/2026/', { type: 's3', bucket: 'reports', prefix: '2026/' }],
  ['s3://reports', { type: 's3', bucket: 'reports', prefix: '' }],
])('%s is left to the service to fetch', async (path, source) => {
  service.intercept((request, response) => {
    expect(JSON.parse(String(request.body)).source).toEqual(source);
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end('{"error":{"code":"invalid_request","message":"No.","requestId":"r1"}}');
    return true;
  });
  const { status, out } = await run(['ingest', path]);
  expect(status).toBe(1);
  expect(out).toContain(`refused   ${path}\n          invalid_request: No.`);
});

test('a search prints title, place and passage, with highlights in bold on a terminal', async () => {
  await writeSamples();
  await run(['ingest', folder, '--concurrency', '1']);
  const plain = await run(['search', 'heron', 'reeds']);
  expect(plain).toMatchObject({ status: 0, err: '' });
  expect(plain.out).toContain(' 1. heron.txt  1.000\n    doc-1\n    The heron waits in the reeds.');
  const rich = await run(['search', 'heron'], { terminal: true });
  expect(rich.out).toContain('The \u001b[1mheron\u001b[22m waits');
  const json = JSON.parse((await run(['search', 'heron', '--json', '-k', '1'])).out);
  expect(json.hits).toHaveLength(1);
});

test('what a search can be told is said as the API calls it', async () => {
  const told = '--mode dense --per-document 1 --diversity 0.3 --half-life 30 --neighbours 2 --no-rerank --explain';
  await run(['search', 'heron', '-n', 'birds', '--as-of', '2026-01-02T03:04:05Z', ...told.split(' ')]);
  expect(JSON.parse(String(service.requests.at(-1)?.body))).toEqual({
    ...{ query: 'heron', namespace: 'birds', topK: 5, mode: 'dense', perDocument: 1, diversity: 0.3 },
    ...{ recency: { halfLifeDays: 30 }, neighbours: 2, asOf: '2026-01-02T03:04:05Z', rerank: false, explain: true },
  });
  await run(['search', 'heron']);
  expect(JSON.parse(String(service.requests.at(-1)?.body))).toEqual({ query: 'heron', topK: 5 });
});

test('what was ingested cannot steer the terminal', async () => {
  await writeFile(join(folder, 'evil.txt'), 'evil \u001b]0;owned\u0007 words');
  await run(['ingest', folder]);
  expect((await run(['search', 'evil'])).out).toContain('evil ]0;owned words');
  // A title that would be a line of its own, or turn the line that it stands in round.
  await run(['ingest', join(folder, 'evil.txt'), '--id', 'evil', '--title', 'a\n\u202eactive  forged\u009b1m']);
  expect((await run(['documents'])).out).toContain('active   evil  a active forged1m  (version 1');
  expect((await run(['documents', 'show', 'evil'])).out).toMatch(/^a active forged1m\n/);
  expect((await run(['search', 'evil'])).out).toContain('. a active forged1m  ');
});

test('an answer is printed as it comes, then its citations', async () => {
  await writeSamples();
  await run(['ingest', folder, '--ids-from-path']);
  const { status, out } = await run(['ask', 'Where', 'lives', 'the', 'otter?']);
  expect(status).toBe(0);
  expect(out).toBe(
    'The otter lives at the river Glan. [1]\n\n[1] otter.txt (otter.txt): “The otter lives at the river Glan.”\n',
  );
});

test('documents are listed, shown, read and deleted', async () => {
  await writeSamples();
  await run(['ingest', folder, '--ids-from-path']);
  expect((await run(['documents'])).out).toContain('active   otter.txt  otter.txt  (version 1, 1 chunks)\n');
  expect(JSON.parse((await run(['documents', '--json'])).out)).toHaveLength(2);
  expect((await run(['documents', 'show', 'otter.txt'])).out).toContain('mediaType  text/plain');
  expect((await run(['documents', 'text', 'otter.txt'])).out).toBe('The otter lives at the river Glan.\n');
  expect((await run(['documents', 'delete', 'otter.txt'])).out).toContain('deleted otter.txt: 1 chunks');
  expect(await run(['documents', 'show', 'otter.txt'])).toMatchObject({
    status: 1,
    err: 'error: It is not_found. (not_found)\nhint: A hint.\nrequest: req_fake\n',
  });
});

test('the status tells what the service holds, or how a job stands', async () => {
  await writeSamples();
  await run(['ingest', folder, '--ids-from-path']);
  const { out } = await run(['status']);
  expect(out).toContain('ready\n2 documents, 2 chunks, 2 vectors; all stores agree\n');
  const id = /job_\w+/.exec(out)?.[0] ?? '';
  const job = await run(['status', '--wait', id]);
  expect(job.status).toBe(0);
  expect(job.out).toMatch(/succeeded {2}job_\w+\n/);
  expect(job.out).toMatch(/parse +done +1\/1 +1\.0 s/);
});

test('a service that is not there is told with what to do', async () => {
  const url = await deserted();
  const { status, err } = await run(['search', 'x', '--url', url]);
  expect(status).toBe(1);
  expect(err).toContain(`No connection to ${url}: ECONNREFUSED. (unreachable)`);
  expect(err).toContain('make up');
});

test('a token is made from JWT_SECRET, or from the secret kept in DATA_DIR', async () => {
  const env = { JWT_SECRET: 'a secret of the test', JWT_AUDIENCE: 'memory' };
  const { out } = await run(['token', '--tenant', 'acme', '--scope', 'memory:read', '--expires', '2h'], { env });
  const claims = jwt.verify(out.trim(), env.JWT_SECRET, { audience: 'memory', algorithms: ['HS256'] });
  expect(claims).toMatchObject({ tenant: 'acme', scope: 'memory:read', sub: 'cli' });
  await writeFile(join(folder, 'jwt-secret'), 'the kept secret\n');
  const kept = await run(['token'], { env: { DATA_DIR: folder } });
  expect(jwt.verify(kept.out.trim(), 'the kept secret')).toMatchObject({ tenant: 'demo' });
});

test('without an address, the service of this machine is asked, on the port that PORT names', async () => {
  const { port } = new URL(service.url);
  expect((await run(['status'], { env: { PORT: port, SEMANTIC_MEMORY_TOKEN: 'token' } })).status).toBe(0);
});

test('without a secret, the message says where it looked', async () => {
  const { status, err } = await run(['stats-like', 'x']);
  expect(status).toBe(1);
  expect(err).toContain('unknown command');
  const bare = await run(['status'], { env: { DATA_DIR: folder, SEMANTIC_MEMORY_URL: service.url } });
  expect(bare.status).toBe(1);
  expect(bare.err).toContain(`looked in: ${folder}`);
});

test('a command stopped by Ctrl-C ends with status 130 and says what goes on', async () => {
  await writeSamples();
  const interrupt = new AbortController();
  service.intercept(() => {
    interrupt.abort(new Error('interrupted'));
    return true;
  });
  const { status, err } = await run(['ingest', folder, '-c', '1'], { signal: interrupt.signal });
  expect(status).toBe(130);
  expect(err).toContain('goes on in the service');
});

test('an operator sees the queues and the dead letters, retries one, and reconciles', async () => {
  await writeFile(join(folder, 'bad.bin'), 'x');
  expect((await run(['ingest', join(folder, 'bad.bin')])).status).toBe(1);
  expect((await run(['admin', 'queues'])).out).toMatch(/^tier +waiting +active.*\nparse +0 +0 +0 +1 +2\n$/);
  const listed = await run(['admin', 'dead-letters']);
  expect(listed.status).toBe(0);
  const [jobId = ''] = listed.out.split(' ');
  expect(jobId).toMatch(/^job_/);
  expect(await run(['admin', 'retry', jobId])).toMatchObject({
    status: 0,
    out: expect.stringContaining(`queued ${jobId}`),
  });
  expect((await run(['admin', 'dead-letters'])).out).toBe('No dead letters.\n');
  expect((await run(['admin', 'retry', jobId])).status).toBe(1);
  expect((await run(['admin', 'reconcile'])).out).toBe('7 checked, 1 repaired\n  job_missing: 1\n');
  expect(JSON.parse((await run(['admin', 'queues', '--json'])).out)).toMatchObject({ queues: [{ tier: 'parse' }] });
});

test('another embedding model is asked for, with what it is compared by, and the comparison is shown', async () => {
  const judged = join(folder, 'judged.json');
  await writeFile(judged, JSON.stringify([{ query: 'when is high tide?', relevant: ['tides'] }]));
  const good = await run(['admin', 'reindex', 'better', '-n', 'birds', '--judged', judged]);
  expect(good).toMatchObject({ status: 0, err: '' });
  expect(good.out).toContain('former -> better: switched\n  found by own sentences 0.9 -> 0.95 (200 queries)\n');
  expect(good.out).toContain('50 % of the first ten hits are the same');
  const sent = service.requests.find(({ path }) => path.endsWith('/admin/reindex'));
  expect(JSON.parse(String(sent?.body))).toEqual({
    ...{ model: 'better', namespace: 'birds', force: false },
    judged: [{ query: 'when is high tide?', relevant: ['tides'] }],
  });
  const refused = await run(['admin', 'reindex', 'worse']);
  expect(refused.status).toBe(1);
  expect(refused.out).toContain('former -> worse: not switched');
  expect((await run(['admin', 'reindex', 'worse', '--force'])).status).toBe(0);
  await writeFile(judged, 'when is high tide?');
  const unread = await run(['admin', 'reindex', 'better', '--judged', judged]);
  expect(unread).toMatchObject({ status: 1, err: `error: ${judged} is not JSON.\n` });
});

test('a namespace is written to a file and sent from one', async () => {
  const file = join(folder, 'birds.tar');
  const exported = await run(['export', '-n', 'birds', '-o', file]);
  expect(exported).toMatchObject({ status: 0, err: '', out: `${file}: 20 bytes\n` });
  expect(await readFile(file, 'utf8')).toBe('the archive of birds');
  const imported = await run(['import', file, '--namespace', 'copies']);
  expect(imported).toMatchObject({ status: 0, err: '' });
  expect(imported.out).toMatch(/^succeeded {2}job_/);
  const request = service.requests.find(({ path }) => path.endsWith('/admin/import'));
  expect(request?.query.get('namespace')).toBe('copies');
  expect(String(request?.body)).toContain('the archive of birds');
});

test('an export that breaks off or finds nothing leaves no file', async () => {
  for (const namespace of ['broken', 'nowhere']) {
    expect((await run(['export', '-n', namespace, '-o', join(folder, 'x.tar')])).status).toBe(1);
  }
  expect(await readdir(folder)).toEqual([]);
  expect((await run(['import', join(folder, 'x.tar')])).status).toBe(1);
});
