import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient } from '@semantic-memory/client/client';
import { inParallel } from '@semantic-memory/client/in-parallel';
import { isTerminal, type Job } from '@semantic-memory/shared/contracts/model/job';
import { tenantToken } from '../chaos/tenant-token.ts';
import { eventually, waitForEnd } from '../job-end.ts';
import { descendants, type Service, startService } from '../service.ts';

const backlog = 1200;
const keyTimeoutMs = 3000;
let service: Service;
let other: Service;

beforeAll(async () => {
  service = await startService({ env: { IDEMPOTENCY_TIMEOUT_MS: String(keyTimeoutMs) } });
  const secret = (await readFile(join(service.dataDir, 'jwt-secret'), 'utf8')).trim();
  const token = tenantToken(secret, 'umbrella');
  other = { ...service, token, client: createClient({ baseUrl: service.url, token }) };
}, 120_000);
afterAll(() => service.stop(), 60_000);

/** Sends a request by itself: no client repeats it. Undefined where there was no answer. */
async function send(key: string, text: string): Promise<{ status: number; job: Job } | undefined> {
  try {
    const answer = await fetch(`${service.url}/api/v1/memory/ingest`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${service.token}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body: JSON.stringify({ source: { type: 'text', text } }),
    });
    return { status: answer.status, job: (await answer.json()) as Job };
  } catch {
    return undefined;
  }
}

test('fifty requests at the same time with one Idempotency-Key are one job; with another body they are refused', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, () => send('fifty', 'The same text.')));
  expect(answers.map((answer) => answer?.status)).toEqual(answers.map(() => 202));
  expect(new Set(answers.map((answer) => answer?.job.id)).size).toBe(1);
  expect((await send('fifty', 'Another text.'))?.status).toBe(422);
  await waitForEnd(service, answers[0]?.job.id ?? '');
  expect((await service.client.documents()).items).toHaveLength(1);
}, 60_000);

test('an API killed among requests with keys leaves none of them blocked, and each is one document', async () => {
  const keys = Array.from({ length: 150 }, (_, index) => `key-${index}`);
  const textOf = (key: string) => `What was sent under ${key}.`;
  const api = (await descendants(service.pid)).find(({ command }) => command.includes('apps/api'));
  let answered = 0;
  // Thirty are under way when it dies, and as many again find it dead.
  await inParallel(keys, 30, async (key) => {
    if ((await send(key, textOf(key)))?.status !== 202) return;
    answered += 1;
    if (answered === keys.length / 3) process.kill(api?.pid ?? -1, 'SIGKILL');
  });
  await eventually(async () => (await fetch(`${service.url}/health/ready`).catch(() => undefined))?.ok, 30_000);
  const jobs = await Promise.all(
    keys.map((key) =>
      eventually(async () => {
        const answer = await send(key, textOf(key));
        // A request that was under way is told so until its time is over.
        expect([202, 409, undefined]).toContain(answer?.status);
        return answer?.status === 202 ? answer.job : undefined;
      }, keyTimeoutMs + 20_000),
    ),
  );
  process.stdout.write(`the API was killed after ${answered} of ${keys.length} answers\n`);
  expect(answered).toBeLessThan(keys.length);
  expect(new Set(jobs.map((job) => job.id)).size).toBe(keys.length);
  for (const job of jobs) expect(await waitForEnd(service, job.id)).toMatchObject({ state: 'succeeded' });
  const documents: string[] = [];
  for await (const document of service.client.allDocuments()) documents.push(document.id);
  expect(documents).toHaveLength(keys.length + 1);
}, 120_000);

test("one tenant's backlog holds up another's one document by no more than its own work takes", async () => {
  const wait = async (index: number) => {
    const began = performance.now();
    const job = await other.client.ingestText(`Umbrella document ${index} tells of the sea.`);
    const ended = await waitForEnd(other, job.id);
    expect(ended.state).toBe('succeeded');
    return performance.now() - began;
  };
  const median = async (count: number) => {
    const waits: number[] = [];
    for (let index = 0; index < count; index += 1) waits.push(await wait(index));
    return waits.sort((a, b) => a - b)[count >> 1] ?? 0;
  };
  await wait(0);
  const idleMs = await median(5);
  const items = (from: number) =>
    Array.from({ length: 300 }, (_, index) => ({
      source: {
        type: 'text' as const,
        text: `Item ${from + index} ${'tells of the sea and of ships upon it. '.repeat(30)}`,
      },
    }));
  let last: Job | undefined;
  for (let from = 0; from < backlog; from += 300) last = (await service.client.ingestBatch(items(from))).jobs.at(-1);
  const loadedMs = await median(5);
  const { queues } = await service.client.admin.queues();
  const waiting = queues.reduce((sum, queue) => sum + queue.waiting, 0);
  const rounded = [idleMs, loadedMs].map(Math.round);
  process.stdout.write(
    `wait of one document: idle ${rounded[0]} ms, behind ${waiting} of another tenant ${rounded[1]} ms\n`,
  );
  expect(waiting).toBeGreaterThan(backlog / 4);
  expect(isTerminal((await service.client.job(last?.id ?? '')).state)).toBe(false);
  // Twice, and a second for what else the machine does meanwhile; without turns it would be minutes.
  expect(loadedMs).toBeLessThan(2 * idleMs + 1000);
}, 120_000);
