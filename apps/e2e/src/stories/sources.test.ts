import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createS3BlobStore } from '@semantic-memory/adapters/s3/blob-store';
import { freePort } from '@semantic-memory/runtime/free-port';
import { silentLogger } from '@semantic-memory/shared/testing/in-memory-flow';
import { startTestS3Server } from '@semantic-memory/shared/testing/s3-server';
import { waitForEnd } from '../job-end.ts';
import { serveGit } from '../serve-git.ts';
import { type Service, startService } from '../service.ts';
import { openTcpGate, type TcpGate } from '../tcp-gate.ts';

// A machine that does other things too starts the processes of a service slowly.
jest.setTimeout(30_000);

const samples = new URL('../../../../memory/data-repo/sample-docs/', import.meta.url);
const s3 = await startTestS3Server();
let service: Service;
let gate: TcpGate;
let folder: string;
let web: Server;
let git: Server;
let webPort: number;
let gitPort: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semantic-memory-sources-'));
  [webPort, gitPort] = [await freePort(), await freePort()];
  web = createServer((request, response) => {
    if (request.url === '/page') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(
        '<html><head><title>Tides</title></head><body><nav>Home</nav><main><h1>Tides</h1><p>Spring tides come with the full moon.</p></main></body></html>',
      );
    } else if (request.url === '/away') {
      response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end();
    } else response.writeHead(404).end('nothing here');
  }).listen(webPort, '127.0.0.1');
  await makeRepository(join(folder, 'library.git'));
  git = await serveGit(folder, gitPort);
  service = await startService({
    env: { FETCH_ALLOW_HOSTS: `127.0.0.1:${webPort},127.0.0.1:${gitPort}`, ...(await bucketVariables()) },
  });
}, 120_000);

/** What an operator sets so that the tenant of these stories may read a folder of the bucket. */
async function bucketVariables(): Promise<Record<string, string>> {
  if ('missing' in s3) return {};
  const { endpoint, bucket, credentials } = s3.settings;
  const { hostname, port } = new URL(endpoint);
  gate = await openTcpGate({ host: hostname, port: Number(port) });
  return {
    SOURCE_S3_BUCKETS: `demo:${bucket}/shelf,other:elsewhere`,
    SOURCE_S3_ENDPOINT: `http://127.0.0.1:${gate.port}`,
    SOURCE_S3_ACCESS_KEY_ID: credentials.accessKeyId,
    SOURCE_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
}

afterAll(async () => {
  await service?.stop();
  await gate?.shut();
  if (!('missing' in s3)) await s3.stop();
  web?.close();
  git?.close();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

async function makeRepository(path: string): Promise<void> {
  const run = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: path, stdio: 'pipe' });
  await mkdir(join(path, 'docs'), { recursive: true });
  await writeFile(join(path, 'README.md'), '# Lighthouses\n\nThe lamp turns once in ten seconds.\n');
  await writeFile(join(path, 'docs/keepers.md'), '# Keepers\n\nThe keeper winds the clockwork at dusk.\n');
  await writeFile(join(path, 'secret.txt'), 'left out\n');
  run('init', '-q', '-b', 'main');
  run('add', '.');
  run('commit', '-q', '-m', 'all');
}

test('a page behind an address is fetched, read without its navigation, and found', async () => {
  const job = await service.client.ingest(
    { type: 'url', url: `http://127.0.0.1:${webPort}/page` },
    { documentId: 'tides' },
  );
  const ended = await waitForEnd(service, job.id);
  expect(ended).toMatchObject({ state: 'succeeded' });
  expect(ended.stages[0]).toMatchObject({ name: 'fetch', state: 'done' });
  const text = await service.client.text('tides');
  expect(text).toContain('full moon');
  expect(text).not.toContain('Home');
  const document = await service.client.document('tides');
  expect(document).toMatchObject({ mediaType: 'text/html', title: 'Tides' });
  expect(document.bytes).toBeGreaterThan(100);
});

test('a dry run fetches and reads a page, says what it would come to, and keeps nothing', async () => {
  const url = `http://127.0.0.1:${webPort}/page`;
  const before = await service.client.stats();
  const jobs = (await service.client.jobs()).items.length;
  expect(await service.client.dryRun({ type: 'url', url })).toMatchObject({
    ...{ mediaType: 'text/html', pages: 1, ocrPages: 0, chunks: 1, estimatedCostUsd: 0, warnings: [] },
    tokens: expect.any(Number),
  });
  await expect(
    service.client.dryRun({ blob: new Blob([Uint8Array.of(77, 90, 0, 1)]), filename: 'setup.exe' }),
  ).rejects.toMatchObject({ status: 415, code: 'unsupported_type' });
  await expect(service.client.dryRun({ type: 'url', url: 'http://169.254.169.254/' })).rejects.toMatchObject({
    code: 'fetch_forbidden',
  });
  expect(await service.client.stats()).toEqual(before);
  expect((await service.client.jobs()).items).toHaveLength(jobs);
  expect(await readdir(join(service.dataDir, 'blobs', 'uploads'))).toEqual([]);
});

test.each([
  ['an address inside', 'http://127.0.0.1:1/', 'fetch_forbidden'],
  ['the same in another spelling', 'http://2130706433/', 'fetch_forbidden'],
  ['the metadata of the cloud', 'http://169.254.169.254/latest/', 'fetch_forbidden'],
])('%s is not fetched', async (_name, url, code) => {
  const job = await service.client.ingest({ type: 'url', url });
  expect(await waitForEnd(service, job.id)).toMatchObject({ state: 'failed', error: { code } });
});

test('a redirect to an address inside is not followed', async () => {
  const job = await service.client.ingest({ type: 'url', url: `http://127.0.0.1:${webPort}/away` });
  expect(await waitForEnd(service, job.id)).toMatchObject({ state: 'failed', error: { code: 'fetch_forbidden' } });
});

test('a page that is not there ends as fetch_failed', async () => {
  const job = await service.client.ingest({ type: 'url', url: `http://127.0.0.1:${webPort}/missing` });
  expect(await waitForEnd(service, job.id)).toMatchObject({ state: 'failed', error: { code: 'fetch_failed' } });
});

test('each file of a repository becomes a document, and the job ends when they all have', async () => {
  const url = `http://127.0.0.1:${gitPort}/library.git`;
  const job = await service.client.ingest({ type: 'git', url, exclude: ['secret.txt'] }, { documentId: 'library' });
  const ended = await waitForEnd(service, job.id);
  expect(ended).toMatchObject({ state: 'succeeded', progress: 1 });
  const documents = (await service.client.documents({})).items.map(({ id }) => id);
  expect(documents).toEqual(expect.arrayContaining(['library:README.md', 'library:docs:keepers.md']));
  expect(documents).not.toContain('library:secret.txt');
  const { hits } = await service.client.search({ query: 'who winds the clockwork' });
  expect(hits[0]).toMatchObject({ documentId: 'library:docs:keepers.md', metadata: { path: 'docs/keepers.md' } });
});

if ('missing' in s3) {
  process.stderr.write(`skipped: tool missing: ${s3.missing}\n`);
  test.skip(`skipped: tool missing: ${s3.missing}`, () => {});
} else {
  const { bucket, credentials } = s3.settings;
  const writer = createS3BlobStore(s3.settings, { logger: silentLogger });
  afterAll(() => writer.close());

  test('each object of a folder of a bucket becomes a document, waits while the server is away, and is replaced', async () => {
    await writer.put('shelf/keepers.md', Buffer.from('# Keepers\n\nThe keeper oils the lens at noon.\n'));
    await writer.put('shelf/leases/hall.docx', await readFile(new URL('hall-lease.docx', samples)));
    await writer.put('shelf/setup.exe', Buffer.from([77, 90, 0, 1]));
    await writer.put('secret/plan.md', Buffer.from('Nobody may read this.'));
    await gate.shut();
    const source = { type: 's3', bucket, prefix: 'shelf/' } as const;
    const job = await service.client.ingest(source, { documentId: 'shelf' });
    for await (const { state } of service.client.watchJob(job.id)) if (state === 'waiting') break;
    await gate.open();
    const ended = await waitForEnd(service, job.id, 120_000);
    expect(ended).toMatchObject({ state: 'partial', warnings: [{ code: 'unsupported_type' }] });
    const { hits } = await service.client.search({ query: 'who oils the lens' });
    expect(hits[0]).toMatchObject({ documentId: 'shelf:shelf:keepers.md', metadata: { path: 'shelf/keepers.md' } });
    expect(await service.client.document('shelf:shelf:leases:hall.docx')).toMatchObject({ state: 'active' });

    await writer.put('shelf/keepers.md', Buffer.from('# Keepers\n\nThe keeper polishes the brass at noon.\n'));
    const one = await service.client.ingest(
      { type: 's3', bucket, key: 'shelf/keepers.md' },
      { documentId: 'shelf:shelf:keepers.md' },
    );
    expect(await waitForEnd(service, one.id)).toMatchObject({ state: 'succeeded', version: 2 });
    expect(await service.client.text('shelf:shelf:keepers.md')).toContain('polishes the brass');
  }, 180_000);

  test.each([
    ['a part of the bucket that is not allowed', { bucket, key: 'secret/plan.md' }],
    ['a bucket that another tenant may read', { bucket: 'elsewhere', key: 'a' }],
    ['a bucket that nobody has', { bucket: 'nowhere', prefix: '' }],
  ])('%s is refused with the same words', async (_name, place) => {
    await expect(service.client.ingest({ type: 's3', ...place })).rejects.toMatchObject({
      ...{ status: 422, code: 'fetch_forbidden' },
      message: 'This tenant may read nothing there: not that bucket, or not that part.',
    });
  });

  test('no log, and nothing that is kept, holds the key of the buckets', async () => {
    const files = await readdir(service.dataDir, { recursive: true, withFileTypes: true });
    const texts = await Promise.all(
      files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), 'latin1')),
    );
    expect(texts.length).toBeGreaterThan(10);
    const holding = [...texts, ...service.output].filter((text) => text.includes(credentials.secretAccessKey));
    expect(holding).toEqual([]);
  });
}
