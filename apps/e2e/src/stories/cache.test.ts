import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Client, createClient } from '@semantic-memory/client/client';
import { freePort } from '@semantic-memory/runtime/free-port';
import { type OpenaiServer, startOpenaiServer } from '@semantic-memory/shared/testing/openai-server';
import { Redis } from 'ioredis';
import { tenantToken } from '../chaos/tenant-token.ts';
import { eventually } from '../job-end.ts';
import { type OwnServers, startOwnServers } from '../own-servers.ts';
import { createReplica, type Replica } from '../replica.ts';

/** Two processes of the API with one cache, in a Redis of its own that may be killed, and a model that counts. */
const secret = 'the-secret-of-the-story-about-the-cache';
const tenant = `cache-${process.pid}-${Date.now()}`;
let dataDir: string;
let servers: OwnServers;
let model: OpenaiServer;
let processes: Replica[] = [];
let metricsPorts: number[];
let clients: [Client, Client];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'semantic-memory-cache-'));
  [servers, model] = await Promise.all([startOwnServers(), startOpenaiServer()]);
  const env = {
    DATA_DIR: dataDir,
    REDIS_URL: process.env.TEST_REDIS_URL ?? '',
    CACHE_REDIS_URL: servers.env.REDIS_URL ?? '',
    CHROMA_HOST: process.env.TEST_CHROMA_HOST ?? '',
    CHROMA_PORT: process.env.TEST_CHROMA_PORT ?? '',
    QUEUE_PREFIX: tenant,
    JWT_SECRET: secret,
    EMBEDDING_PROVIDER: 'openai',
    EMBEDDING_MODEL: 'words-64',
    OPENAI_BASE_URL: model.url,
    LLM_MODEL: 'quoter',
  };
  const ports = [await freePort(), await freePort()] as const;
  metricsPorts = [await freePort(), await freePort()];
  const apis = ports.map((port, at) =>
    createReplica(`api-${at}`, 'api', { ...env, PORT: String(port), METRICS_PORT: String(metricsPorts[at]) }),
  );
  processes = [...apis, createReplica('worker', 'worker', env)];
  await Promise.all(processes.map((each) => each.start()));
  const client = (port: number) =>
    createClient({ baseUrl: `http://127.0.0.1:${port}`, token: tenantToken(secret, tenant) });
  clients = [client(ports[0]), client(ports[1])];
}, 120_000);

afterAll(async () => {
  await Promise.all(processes.map((each) => each.end('SIGKILL')));
  await servers?.stop();
  await model?.close();
  await rm(dataDir, { recursive: true, force: true });
}, 60_000);

async function ingested(documentId: string, text: string): Promise<void> {
  const [client] = clients;
  const { id } = await client.ingestText(text, { documentId });
  await eventually(async () => (await client.job(id)).state === 'succeeded');
}

const both = (count: number) => Array.from({ length: count }, (_, at) => clients[at % 2] ?? clients[0]);
const calls = (path: string, text: string) =>
  model.requests.filter((request) => request.path === `/v1/${path}` && JSON.stringify(request.body).includes(text));

/** The sum of a metric's samples over both processes. */
async function counted(pattern: RegExp): Promise<number> {
  const texts = await Promise.all(
    metricsPorts.map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()),
  );
  return texts
    .flatMap((text) => [...text.matchAll(new RegExp(`^${pattern.source} (\\d+)$`, 'gm'))])
    .reduce((sum, [, value]) => sum + Number(value), 0);
}

/** All text in the cache's Redis. */
async function kept(): Promise<string[]> {
  const redis = new Redis(servers.env.REDIS_URL ?? '');
  try {
    const keys = await redis.keys(`${tenant}:cache:*:e:*`);
    return keys.length > 0 ? (await redis.mget(keys)).filter((value) => value !== null) : [];
  } finally {
    redis.disconnect();
  }
}

test('200 cold requests to two processes make one call of each origin, and all get the same answer', async () => {
  await ingested('pier', 'The ferry leaves from pier seven at noon.');
  // Processes that have just started run their code for the first time: the shared layer is not waited for so long.
  await Promise.all(both(20).map((client, at) => client.search({ query: `boat number ${at}` })));
  const misses = () => counted(/cache_requests_total\{layer="l2",result="miss"\}/);
  const missesBefore = await misses();
  const answers = await Promise.all(both(200).map((client) => client.search({ query: 'ferry at noon' })));
  expect(new Set(answers.map(({ hits }) => JSON.stringify(hits))).size).toBe(1);
  expect(answers[0]?.hits[0]).toMatchObject({ documentId: 'pier', version: 1 });
  expect(calls('embeddings', 'ferry at noon')).toHaveLength(1);
  const replies = await Promise.all(both(60).map((client) => client.rag({ question: 'Where does the ferry leave?' })));
  expect(new Set(replies.map(({ answer }) => answer))).toEqual(new Set([expect.stringContaining('pier seven')]));
  expect(calls('chat/completions', 'Where does the ferry leave?')).toHaveLength(1);
  // Of each process at least one asked the shared layer, and found nothing there yet.
  expect(await misses()).toBeGreaterThan(missesBefore);
}, 60_000);

test('what is cached is found in either process, follows each change, and a delete counts and removes it', async () => {
  const hits = async (client: Client) =>
    (await client.search({ query: 'a ferry and a storm' })).hits.map(({ documentId, version }) => [
      documentId,
      version,
    ]);
  await ingested('storm', 'A storm of secretword keeps the ferry in the harbour.');
  for (const client of clients) expect(await hits(client)).toContainEqual(['storm', 1]);
  await ingested('storm', 'No storm of secretword any more: the ferry leaves.');
  for (const client of clients) expect(await hits(client)).toContainEqual(['storm', 2]);
  const before = await kept();
  expect(before.some((text) => text.includes('secretword'))).toBe(true);
  const { removed } = await clients[0].delete('storm');
  const after = await kept();
  expect(after.filter((text) => text.includes('secretword'))).toEqual([]);
  expect(removed.cacheEntries).toBe(before.length - after.length);
  expect(removed.cacheEntries).toBeGreaterThanOrEqual(2);
  for (const client of clients) expect(await hits(client)).toEqual([['pier', 1]]);
}, 60_000);

test('with the Redis of the cache away requests are answered as before, and only a delete has to wait', async () => {
  await ingested('short', 'A short note about the lighthouse.');
  const asked = { query: 'lighthouse' };
  for (const client of clients) await client.search(asked);
  await servers.redis.end('SIGKILL', 3000, async () => {
    for (const client of clients) {
      for (const query of ['lighthouse', 'lighthouse note', 'lighthouse short']) {
        const answer = await client.search({ query });
        expect(answer).toMatchObject({ mode: 'hybrid' });
        expect(answer.hits[0]?.documentId).toBe('short');
        expect(answer.degraded).toBeUndefined();
      }
    }
    expect(await counted(/cache_requests_total\{layer="l2",result="error"\}/)).toBeGreaterThan(0);
    await eventually(async () => (await counted(/breaker_state\{dependency="cache"\}/)) > 0, 2000);
    await expect(clients[0].delete('short')).rejects.toMatchObject({ status: 503 });
    expect((await clients[1].search(asked)).hits.map(({ documentId }) => documentId)).not.toContain('short');
  });
  await eventually(async () => (await counted(/breaker_state\{dependency="cache"\}/)) === 0);
  expect(await clients[1].delete('short')).toMatchObject({ documentId: 'short', verifiedAbsent: true });
}, 60_000);
