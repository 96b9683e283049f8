import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '@semantic-memory/runtime/free-port';
import { isTerminal, type Job } from '@semantic-memory/shared/contracts/model/job';
import { type BalancedClient, createBalancedClient } from '../balanced-client.ts';
import { tenantToken } from '../chaos/tenant-token.ts';
import { eventually } from '../job-end.ts';
import { createReplica, type Replica } from '../replica.ts';

const secret = 'the-secret-of-the-rolling-restart-story';
const prefix = '/api/v1/memory';
let dataDir: string;
let apis: Replica[];
let workers: Replica[];
let bases: string[];
let client: BalancedClient;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'semantic-memory-rolling-'));
  const env = {
    DATA_DIR: dataDir,
    REDIS_URL: process.env.TEST_REDIS_URL ?? '',
    CHROMA_HOST: process.env.TEST_CHROMA_HOST ?? '',
    CHROMA_PORT: process.env.TEST_CHROMA_PORT ?? '',
    QUEUE_PREFIX: `rolling-${process.pid}-${Date.now()}`,
    JWT_SECRET: secret,
    EMBED_PROCESSES: '1',
    OCR_PROCESSES: '1',
    // Many times what the client needs to hear of it.
    DRAIN_MS: '3000',
    // Nobody stays as long as that: short texts are done in moments, and the long document makes way at its next batch.
    // But a busy machine gives a model little time, which works behind everything that somebody waits for.
    SHUTDOWN_GRACE_MS: '30000',
  };
  const ports = [await freePort(), await freePort()];
  bases = ports.map((port) => `http://127.0.0.1:${port}`);
  apis = ports.map((port, index) => createReplica(`api-${index + 1}`, 'api', { ...env, PORT: String(port) }));
  workers = [1, 2].map((number) => createReplica(`worker-${number}`, 'worker', env));
  await Promise.all([...apis, ...workers].map((replica) => replica.start()));
  client = createBalancedClient(bases, tenantToken(secret, `rolling-${process.pid}-${Date.now()}`));
}, 120_000);
afterAll(async () => {
  client?.close();
  await Promise.all([...(apis ?? []), ...(workers ?? [])].map((replica) => replica.end('SIGKILL')));
  await rm(dataDir, { recursive: true, force: true });
}, 60_000);

/** What went wrong in the eyes of a caller. */
const complaints: string[] = [];
const accepted = new Map<string, string>();
let searches = 0;

/** A caller that ingests, follows its job to the end and searches, without rest and without a second try. */
async function callUntil(stopped: () => boolean, name: string): Promise<void> {
  for (let count = 0; !stopped(); count += 1) {
    const documentId = `${name}-${count}`;
    const text = `Note ${documentId}: the ferry ${count} leaves from pier ${name}.`;
    try {
      const body = { source: { type: 'text', text }, documentId };
      const ingested = await client.send('POST', `${prefix}/ingest`, body);
      if (ingested.status === 202) accepted.set(documentId, (ingested.body as Job).id);
      else complaints.push(`ingest answered ${ingested.status}: ${JSON.stringify(ingested.body)}`);
      for (let ended = false; !ended; ) {
        const job = await client.send('GET', `${prefix}/jobs/${accepted.get(documentId)}`);
        if (job.status !== 200) complaints.push(`job answered ${job.status}: ${JSON.stringify(job.body)}`);
        ended = job.status !== 200 || isTerminal((job.body as Job).state);
        if (!ended) await delay(50);
      }
      const search = await client.send('POST', `${prefix}/search`, { query: text, topK: 3 });
      const { hits = [] } = search.body as { hits?: { documentId: string }[] };
      if (search.status !== 200) complaints.push(`search answered ${search.status}: ${JSON.stringify(search.body)}`);
      else if (hits[0]?.documentId !== documentId) complaints.push(`${documentId} is done and was not found`);
      searches += 1;
    } catch (error) {
      complaints.push(`${error} (${(error as Error).cause})`);
    }
  }
}

/** Follows a job to its end over as many streams as that takes. @returns the ids of the events, and how many streams */
async function follow(jobId: string): Promise<{ ids: string[]; last: Job; streams: number }> {
  const ids: string[] = [];
  let last: Job | undefined;
  for (let streams = 1; ; streams += 1) {
    const lastId = ids.at(-1);
    const path = `${prefix}/jobs/${jobId}/events`;
    const answer = await client.open(path, lastId === undefined ? {} : { 'last-event-id': lastId });
    if (answer.statusCode !== 200) throw new Error(`events answered ${answer.statusCode}`);
    let text = '';
    // A stream that an ending replica cuts off in the middle of an event would fail here.
    for await (const part of answer.setEncoding('utf8')) text += part;
    if (text !== '' && !text.endsWith('\n\n')) throw new Error('a stream ended in the middle of an event');
    for (const [, id = '', data = ''] of text.matchAll(/^id: (.+)\nevent: job\ndata: (.+)$/gm)) {
      ids.push(id);
      last = JSON.parse(data) as Job;
    }
    if (last && isTerminal(last.state)) return { ids, last, streams };
  }
}

test('API and workers are restarted one after the other under load, and no caller notices', async () => {
  const paragraphs = Array.from({ length: 250 }, (_, index) => `Paragraph ${index} of ${index * 7919}. `.repeat(14));
  const long = (await client.send('POST', `${prefix}/ingest`, {
    source: { type: 'text', text: paragraphs.join('\n\n') },
    documentId: 'long',
  })) as { body: Job };
  const following = [follow(long.body.id), follow(long.body.id), follow(long.body.id), follow(long.body.id)];
  let stopped = false;
  const callers = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => callUntil(() => stopped, name));

  for (const [index, api] of apis.entries()) {
    await eventually(async () => client.isReady(index));
    const exit = api.end('SIGTERM');
    await eventually(async () => !client.isReady(index));
    // It says that it is going to end, and answers all the same.
    const ready = await fetch(`${bases[index]}/health/ready`);
    expect({ status: ready.status, ...((await ready.json()) as object) }).toMatchObject({
      status: 503,
      state: 'shutting down',
    });
    expect(ready.headers.get('connection')).toBe('close');
    expect(await exit).toBe(0);
    await api.start();
    await eventually(async () => client.isReady(index));
  }
  for (const worker of workers) {
    expect(await worker.end('SIGTERM')).toBe(0);
    await worker.start();
  }
  stopped = true;
  await Promise.all(callers);

  expect(complaints).toEqual([]);
  expect(accepted.size).toBeGreaterThan(20);
  expect(searches).toBeGreaterThan(20);
  const ends = await Promise.all(following);
  const replay = await follow(long.body.id);
  for (const end of ends) {
    expect(end.last).toMatchObject({ state: 'succeeded' });
    // Nothing twice, nothing left out, over several replicas.
    expect(end.ids).toEqual(replay.ids);
  }
  expect(Math.max(...ends.map(({ streams }) => streams))).toBeGreaterThan(1);

  const jobs = await eventually(async () => {
    const all: Job[] = [];
    for (let cursor = ''; ; ) {
      const page = await client.send('GET', `${prefix}/jobs?limit=100${cursor}`);
      const { items, nextCursor } = page.body as { items: Job[]; nextCursor?: string };
      all.push(...items);
      if (nextCursor === undefined) break;
      cursor = `&cursor=${encodeURIComponent(nextCursor)}`;
    }
    return all.every((job) => isTerminal(job.state)) ? all : undefined;
  }, 60_000);
  // Each accepted once: none lost, none doubled, and none begun a second time because somebody left.
  expect(jobs.map((job) => job.id).toSorted()).toEqual([...accepted.values(), long.body.id].toSorted());
  expect(jobs.filter((job) => job.state !== 'succeeded')).toEqual([]);
  const short = jobs.filter((job) => job.documentId !== 'long');
  expect(short.flatMap((job) => job.stages.filter((stage) => stage.attempts > 1))).toEqual([]);
  const stats = (await client.send('GET', `${prefix}/stats`)).body as {
    documents: number;
    chunks: number;
    vectors: number;
  };
  expect(stats).toMatchObject({ documents: jobs.length, vectors: stats.chunks, consistent: true });
}, 240_000);
