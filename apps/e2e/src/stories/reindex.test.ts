import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ApiError } from '@semantic-memory/client/api-error';
import { type Client, createClient } from '@semantic-memory/client/client';
import { freePort } from '@semantic-memory/runtime/free-port';
import { isTerminal, type Job } from '@semantic-memory/shared/contracts/model/job';
import { type OpenaiServer, startOpenaiServer } from '@semantic-memory/shared/testing/openai-server';
import { Redis } from 'ioredis';
import { tenantToken } from '../chaos/tenant-token.ts';
import { eventually } from '../job-end.ts';
import { createReplica, type Replica } from '../replica.ts';

/* A namespace gets another embedding model while it is searched, written to, and its worker is killed. */

const secret = 'the-secret-of-the-story-about-another-model';
const tenant = `reindex-${process.pid}-${Date.now()}`;
const [former, next, worse] = ['words-64', 'words-96', 'noise-64'];
const documents = 48;
let dataDir: string;
let model: OpenaiServer;
let embedWorker: Replica;
let processes: Replica[] = [];
let client: Client;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'semantic-memory-reindex-'));
  model = await startOpenaiServer();
  const port = await freePort();
  const env = {
    DATA_DIR: dataDir,
    REDIS_URL: process.env.TEST_REDIS_URL ?? '',
    CHROMA_HOST: process.env.TEST_CHROMA_HOST ?? '',
    CHROMA_PORT: process.env.TEST_CHROMA_PORT ?? '',
    QUEUE_PREFIX: tenant,
    JWT_SECRET: secret,
    EMBEDDING_PROVIDER: 'openai',
    EMBEDDING_MODEL: former,
    OPENAI_BASE_URL: model.url,
  };
  embedWorker = createReplica('embed', 'worker', { ...env, TIERS: 'embed' });
  processes = [
    createReplica('api', 'api', { ...env, PORT: String(port) }),
    createReplica('worker', 'worker', { ...env, TIERS: 'parse,index,maintenance' }),
    embedWorker,
  ];
  await Promise.all(processes.map((each) => each.start()));
  client = createClient({ baseUrl: `http://127.0.0.1:${port}`, token: tenantToken(secret, tenant) });
  for (let number = 0; number < documents; number += 1)
    await client.ingestText(textOf(number), { documentId: `report-${number}`, title: 'Paper' });
  await eventually(async () => (await client.stats()).documents === documents, 90_000);
}, 180_000);

afterAll(async () => {
  await Promise.all(processes.map((each) => each.end('SIGKILL')));
  await model?.close();
  await rm(dataDir, { recursive: true, force: true });
}, 60_000);

const topics = ['harbour', 'lighthouse', 'trawler', 'estuary', 'buoy', 'keel', 'rudder', 'anchor', 'jetty', 'reef'];
const textOf = (number: number) =>
  `Report ${number} tells of the ${topics[number % topics.length]} and of measurement ${number * 7919}. It rained.`;

const ended = (id: string) =>
  eventually(async (): Promise<Job | undefined> => {
    const job = await client.job(id);
    return isTerminal(job.state) ? job : undefined;
  }, 150_000);
const textsFor = (of: string) =>
  model.requests
    .filter(({ path, body }) => path === '/v1/embeddings' && body.model === of)
    .flatMap(({ body }) => body.input);
/** What was embedded as a passage: with its title before it. */
const passagesFor = (of: string) => textsFor(of).filter((text) => /^(Paper|Lantern|Tender)\n/.test(text));
const firstFor = async (query: string) => (await client.search({ query, topK: 1 })).hits[0]?.documentId;

/** Searches all the time for documents that stay as they are, until it is stopped. */
function searching() {
  const stopped = new AbortController();
  const faults: unknown[] = [];
  let searches = 0;
  const loop = async () => {
    for (let number = 3; !stopped.signal.aborted; number = 3 + ((number + 1) % (documents - 3))) {
      try {
        const { hits, degraded } = await client.search({ query: textOf(number), topK: 3 });
        searches += 1;
        if (hits[0]?.documentId !== `report-${number}` || degraded) faults.push({ number, hits, degraded });
      } catch (error) {
        faults.push(error);
      }
    }
  };
  const done = loop();
  return {
    async stop() {
      stopped.abort();
      await done;
      return { faults, searches };
    },
  };
}

test('a worker is killed, documents come, change and go: no search fails or misses any, and then the model is another', async () => {
  model.slowDown(next, 300);
  const search = searching();
  const { id } = await client.admin.reindex({ model: next });
  await eventually(async () => passagesFor(next).length > 10);
  await embedWorker.end('SIGKILL');
  const halfway = await client.job(id);
  expect([isTerminal(halfway.state), halfway.comparison]).toEqual([false, undefined]);
  await client.delete('report-2');
  await embedWorker.start();
  const meanwhile = [
    await client.ingestText('A lantern of the time between.', { documentId: 'lantern', title: 'Lantern' }),
    await client.ingestText('The replaced report tells of a windmill.', { documentId: 'report-1', title: 'Paper' }),
  ];
  const job = await ended(id);
  for (const { id: one } of meanwhile) expect(await ended(one)).toMatchObject({ state: 'succeeded' });
  model.slowDown(next, 0);
  expect(job).toMatchObject({
    state: 'succeeded',
    comparison: { formerModel: former, model: next, verdict: 'good', switched: true },
  });
  expect(await firstFor('lantern')).toBe('lantern');
  expect(await firstFor('windmill')).toBe('report-1');
  const { faults, searches } = await search.stop();
  expect(faults).toEqual([]);
  expect(searches).toBeGreaterThan(10);
  // Queries are embedded by the new model, and what was stored before the kill was not embedded again.
  expect(textsFor(next)).toContain('windmill');
  // Eight at a time were on their way when the worker was killed.
  expect(passagesFor(next).length).toBeLessThanOrEqual(documents + 2 + 8);
  await eventually(async () => (await client.stats()).consistent);
  expect(await client.stats()).toMatchObject({ documents, vectors: documents });
  const hits = (await client.search({ query: textOf(2), topK: 100 })).hits.map(({ documentId }) => documentId);
  expect(hits).not.toContain('report-2');
}, 240_000);

test('a model that finds worse is refused and says why', async () => {
  const { id } = await client.admin.reindex({ model: worse });
  const job = await ended(id);
  expect(job).toMatchObject({
    state: 'failed',
    error: { code: 'worse_model' },
    comparison: { formerModel: next, verdict: 'worse', switched: false, reasons: [expect.any(String)] },
  });
  expect(await firstFor('windmill')).toBe('report-1');
  const { id: later } = await client.ingestText('A tender for the new model.', {
    documentId: 'tender',
    title: 'Tender',
  });
  expect(await ended(later)).toMatchObject({ state: 'succeeded' });
  await expect(client.admin.reindex({ model: next })).rejects.toThrow(ApiError);
}, 200_000);

test('the way back embeds only what came since, and a ledger that was emptied comes back with the right model', async () => {
  const before = passagesFor(former).length;
  const search = searching();
  const { id } = await client.admin.reindex({ model: former, force: true });
  expect(await ended(id)).toMatchObject({ state: 'succeeded', comparison: { model: former, switched: true } });
  const { faults } = await search.stop();
  expect(faults).toEqual([]);
  expect(passagesFor(former).slice(before)).toEqual([expect.stringMatching(/^Tender\n/)]);
  await eventually(async () => (await client.stats()).consistent);

  const redis = new Redis(process.env.TEST_REDIS_URL ?? '');
  for await (const keys of redis.scanStream({ match: `${tenant}:*`, count: 1000 })) {
    const names = keys as string[];
    if (names.length > 0) await redis.del(...names);
  }
  await redis.quit();
  const asked = textsFor(next).length;
  await eventually(async () => (await firstFor('windmill').catch(() => undefined)) === 'report-1', 60_000);
  expect(textsFor(next)).toHaveLength(asked);
  expect(await client.job(id)).toMatchObject({ state: 'succeeded', comparison: { model: former } });
}, 240_000);
