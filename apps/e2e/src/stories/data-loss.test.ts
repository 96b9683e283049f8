import { once } from 'node:events';
import { readdirSync, statSync, truncateSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isTerminal, type Job } from '@semantic-memory/shared/contracts/model/job';
import { eventually, waitForEnd } from '../job-end.ts';
import { descendants, type Service, startService } from '../service.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
}, 180_000);
afterAll(async () => {
  await service?.stop();
}, 60_000);

/** One command to the service's own Redis, over a bare connection. */
async function redisCommand(...words: string[]): Promise<string> {
  const ports = JSON.parse(await readFile(join(service.dataDir, 'ports.json'), 'utf8')) as { redis: number };
  const socket = createConnection(ports.redis, '127.0.0.1');
  await once(socket, 'connect');
  socket.end(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`);
  let answer = '';
  for await (const part of socket) answer += String(part);
  return answer;
}

/** Loses all that Chroma has: its process is killed and its folder is wiped before it is started again. */
async function wipeChroma(): Promise<void> {
  const chroma = (await descendants(service.pid)).filter(
    ({ command }) => /chroma/.test(command) && !/node/.test(command),
  );
  expect(chroma.length).toBeGreaterThan(0);
  for (const { pid } of chroma) process.kill(pid, 'SIGKILL');
  await rm(join(service.dataDir, 'chroma'), { recursive: true, force: true });
}

const embeddedTokens = async (): Promise<number> => {
  const text = await (await fetch(service.metricsUrl)).text();
  return [...text.matchAll(/^embedding_tokens_total\{[^}]*\} (\S+)/gm)].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  );
};

const authorized = { authorization: '' };
async function statusOf(path: string): Promise<number> {
  authorized.authorization = `Bearer ${service.token}`;
  return (await fetch(`${service.url}/api/v1/memory${path}`, { headers: authorized })).status;
}

const topics = ['harbour', 'lighthouse', 'trawler', 'estuary', 'buoy', 'keel', 'rudder', 'anchor', 'jetty', 'reef'];
const textOf = (number: number) =>
  `Report ${number} tells of the ${topics[number % topics.length]} and of measurement ${number * 7919}.`;

/** Everything accepted has ended well and is found by its own words. */
async function expectAllFound(jobs: readonly Job[]): Promise<void> {
  for (const { id } of jobs) expect(await waitForEnd(service, id, 90_000)).toMatchObject({ state: 'succeeded' });
  await eventually(async () => (await service.client.stats()).consistent, 60_000);
  for (const { documentId } of jobs) {
    const query = textOf(Number(documentId.slice('report-'.length)));
    const { hits, degraded } = await service.client.search({ query, topK: 1 });
    expect([hits[0]?.documentId, degraded?.includes('index_rebuilding') ?? false]).toEqual([documentId, false]);
  }
}

const jobs: Job[] = [];

test('Redis emptied in mid-ingest: never 404, and everything accepted ends well', async () => {
  for (let number = 0; number < 40; number += 1) {
    jobs.push(await service.client.ingestText(textOf(number), { documentId: `report-${number}` }));
  }
  // Long enough to be on their way when it happens.
  const paragraphs = Array.from({ length: 200 }, (_, index) => `Entry ${index}. `.repeat(40)).join('\n\n');
  const long: Job[] = [];
  for (const name of ['log-1', 'log-2']) long.push(await service.client.ingestText(paragraphs, { documentId: name }));
  const first = jobs[0] as Job;
  await waitForEnd(service, first.id);
  expect(isTerminal((await service.client.job(long[1]?.id ?? '')).state)).toBe(false);
  expect(await redisCommand('FLUSHALL')).toContain('OK');
  const seen = new Set<number>();
  await eventually(async () => {
    const status = await statusOf(`/jobs/${first.id}`);
    seen.add(status);
    return status === 200;
  });
  expect([...seen].every((status) => status === 503 || status === 200)).toBe(true);
  for (const { id } of long) expect(await waitForEnd(service, id, 90_000)).toMatchObject({ state: 'succeeded' });
  await expectAllFound(jobs);
  expect(await service.client.stats()).toMatchObject({ documents: 42, consistent: true });
}, 180_000);

test('Chroma wiped: filled again by itself, without a token embedded, and searches say so meanwhile', async () => {
  const before = await embeddedTokens();
  expect(before).toBeGreaterThan(0);
  await wipeChroma();
  const answers: { hits: unknown[]; degraded?: string[] | undefined }[] = [];
  await eventually(async () => {
    const answer = await service.client.search({ query: textOf(3), topK: 40 }).catch(() => undefined);
    if (answer) answers.push(answer);
    return answer?.hits.length === 40;
  }, 90_000);
  // Fewer than there are is never passed off as all.
  for (const { hits, degraded } of answers) if (hits.length < 40) expect(degraded).toContain('index_rebuilding');
  await expectAllFound(jobs);
  expect(await embeddedTokens()).toBe(before);
}, 180_000);

test('Redis killed and the tail of its log cut off: what was written last comes back', async () => {
  for (let number = 40; number < 60; number += 1) {
    jobs.push(await service.client.ingestText(textOf(number), { documentId: `report-${number}` }));
  }
  for (const { id } of jobs) await waitForEnd(service, id);
  await service.client.delete('report-0');
  const [redis] = (await descendants(service.pid)).filter(({ command }) => /redis-server/.test(command));
  const folder = join(service.dataDir, 'redis', 'appendonlydir');
  const log = join(folder, readdirSync(folder).find((name) => name.endsWith('.incr.aof')) ?? '');
  process.kill(redis?.pid ?? -1, 'SIGKILL');
  // Both at once, before it is started again: the last quarter of all that was written since the loss before.
  truncateSync(log, Math.floor(statSync(log).size * 0.75));
  jobs.shift();
  // The delete is one of the writes that were lost, and some jobs may be open again for a moment.
  await eventually(
    async () => (await statusOf('/documents/report-0')) === 404 && (await statusOf('/stats')) === 200,
    60_000,
  );
  for (const { id, documentId } of jobs) {
    await eventually(async () => (await service.client.job(id).catch(() => undefined))?.state === 'succeeded', 60_000);
    expect(await service.client.document(documentId)).toMatchObject({ state: 'active', jobId: id });
  }
  await eventually(async () => (await service.client.stats()).consistent, 60_000);
  expect(await service.client.stats()).toMatchObject({ documents: 61 });
}, 240_000);

test('both at once, with documents on their way, names changed and a document deleted before', async () => {
  await service.client.patch('report-1', { title: 'Renamed', metadata: { kept: true } });
  await service.client.delete('report-39');
  jobs.splice(
    jobs.findIndex(({ documentId }) => documentId === 'report-39'),
    1,
  );
  const { batchId } = await service.client.ingestBatch(
    Array.from({ length: 20 }, (_, number) => ({
      source: { type: 'text' as const, text: textOf(100 + number) },
      documentId: `batch-${number}`,
    })),
  );
  await Promise.all([redisCommand('FLUSHALL'), wipeChroma()]);
  const batch = await eventually(async () => {
    const found = await service.client.batch(batchId).catch(() => undefined);
    return found?.counts.succeeded === 20 ? found : undefined;
  }, 120_000);
  expect(batch.jobs).toHaveLength(20);
  await expectAllFound(jobs);
  expect(await service.client.document('report-1')).toMatchObject({ title: 'Renamed', metadata: { kept: true } });
  expect(await statusOf('/documents/report-39')).toBe(404);
  expect((await service.client.ingestText('Came again.', { documentId: 'report-39' })).version).toBe(2);
  expect(await service.client.admin.reconcile()).toMatchObject({ checked: expect.any(Number) });
}, 240_000);
