import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import { isTerminal, type Job } from '@semantic-memory/shared/contracts/model/job';
import { Redis } from 'ioredis';
import { eventually, waitForEnd } from '../job-end.ts';
import { type OwnServers, startOwnServers } from '../own-servers.ts';
import { descendants, type Service, startService } from '../service.ts';

/*
 * What the service says and does while Redis or Chroma is down, frozen or full, with all its real processes. None of
 * them may have to be started anew for the service to recover. OUTAGE_SECONDS makes the long outages as long as
 * they are in the field: `OUTAGE_SECONDS=120 bash scripts/jest.sh apps/e2e/src/stories/outages`.
 */
const longOutageMs = Number(process.env.OUTAGE_SECONDS || 8) * 1000;
const recoversWithinMs = 30_000;

let servers: OwnServers;
let service: Service;

beforeAll(async () => {
  servers = await startOwnServers();
  service = await startService({ env: { ...servers.env, EMBED_PROCESSES: '1', OCR_PROCESSES: '1' } });
}, 180_000);

afterAll(async () => {
  await service?.stop();
  await servers?.stop();
}, 60_000);

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: { readonly error?: { readonly code: string }; readonly id?: string; readonly degraded?: string[] };
  readonly tookMs: number;
}

async function ask(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
  const startedAt = performance.now();
  const answer = await fetch(`${service.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    retryAfter: answer.headers.get('retry-after'),
    body: text === '' ? {} : JSON.parse(text),
    tookMs: performance.now() - startedAt,
  };
}

const post = (text: string) => ask('POST', `${apiPrefix}/ingest`, { source: { type: 'text', text } });
const search = (query: string) => ask('POST', `${apiPrefix}/search`, { query });
const refused = { status: 503, body: { error: { code: 'dependency_unavailable' } } };

/** Without Chroma there is no whole answer: a search is refused, or says what it lacks. */
function expectTruth(answer: Answer): void {
  if (answer.status === 200) {
    expect(answer.body.degraded?.length).toBeGreaterThan(0);
    return;
  }
  expect(answer).toMatchObject(refused);
  expect(Number(answer.retryAfter)).toBeGreaterThan(0);
}

/** The state of each dependency as /health/ready has it. */
async function readiness() {
  const startedAt = performance.now();
  const answer = await fetch(`${service.url}/health/ready`);
  const { dependencies } = (await answer.json()) as { dependencies: Record<string, { state: string }> };
  const states = Object.fromEntries(Object.entries(dependencies).map(([name, { state }]) => [name, state]));
  return { status: answer.status, states, tookMs: performance.now() - startedAt };
}

/** Process ids of the API and the workers: the same ones must be there afterwards. */
const processes = async () =>
  (await descendants(service.pid)).filter(({ command }) => /apps\/(api|worker)\//.test(command)).map(({ pid }) => pid);

const breakers = async (dependency: string): Promise<number[]> => {
  const text = await (await fetch(service.metricsUrl)).text();
  return [...text.matchAll(new RegExp(`^breaker_state\\{.*dependency="${dependency}".*\\} (\\d)$`, 'gm'))].map(
    ([, state]) => Number(state),
  );
};

let numbers = 0;
/** A text of its own, long enough to keep the steps busy for a while where it has many paragraphs. */
const text = (paragraphs = 1) => {
  numbers += 1;
  const lines = Array.from(
    { length: paragraphs },
    (_, line) => `Ship ${numbers * 7919} brought cargo ${line * 104_729} to the northern pier before the storm.`,
  );
  return lines.map((line) => `${line} `.repeat(paragraphs > 1 ? 8 : 1)).join('\n\n');
};

/** A document that is accepted now ends well, and is found. */
async function works(): Promise<number> {
  const startedAt = Date.now();
  const content = text();
  const accepted = await eventually(async () => {
    const answer = await post(content);
    return answer.status === 202 ? answer : undefined;
  }, recoversWithinMs);
  const job = await waitForEnd(service, accepted.body.id ?? '', recoversWithinMs);
  expect(job.state).toBe('succeeded');
  const { hits } = await service.client.search({ query: content, filter: { documentId: job.documentId } });
  expect(hits).toHaveLength(1);
  return Date.now() - startedAt;
}

async function allEnded(jobs: readonly string[]): Promise<Job[]> {
  const ended: Job[] = [];
  for (const id of jobs) ended.push(await waitForEnd(service, id, recoversWithinMs));
  return ended;
}

const consistent = () => eventually(async () => (await service.client.stats()).consistent);

test.each([
  ['3 s, idle', 3_000, 0],
  ['long, busy', longOutageMs, 12],
])(
  'Redis killed and away (%s): the same processes go on within 30 s, and nothing is lost',
  async (_, downMs, load) => {
    const before = await processes();
    const jobs: string[] = [];
    for (let index = 0; index < load; index += 1) jobs.push((await post(text(20))).body.id ?? '');
    await servers.redis.end('SIGKILL', downMs, async () => {
      expect(await post(text())).toMatchObject(refused);
      const { status, states, tookMs } = await readiness();
      expect({ status, states }).toEqual({
        status: 503,
        states: expect.objectContaining({ redis: 'down', redisWrites: 'down', chroma: 'up', blobs: 'up' }),
      });
      expect(tookMs).toBeLessThan(2500);
    });
    const backAt = Date.now();
    await works();
    const ended = await allEnded(jobs);
    expect(ended.map(({ state }) => state)).toEqual(jobs.map(() => 'succeeded'));
    expect(Date.now() - backAt).toBeLessThan(recoversWithinMs);
    await consistent();
    expect(await processes()).toEqual(before);
  },
  240_000,
);

test('Redis frozen: every answer is a 503 within two seconds, with Retry-After; then all goes on', async () => {
  const before = await processes();
  const running = (await post(text(20))).body.id ?? '';
  const thawed = servers.redis.freeze(8_000);
  for (const call of [
    () => post(text()),
    () => search('cargo'),
    () => ask('GET', `${apiPrefix}/jobs/${running}`),
    () => ask('GET', `${apiPrefix}/documents`),
    () => post(text()),
  ]) {
    const answer = await call();
    expect(answer).toMatchObject(refused);
    expect(Number(answer.retryAfter)).toBeGreaterThan(0);
    expect(answer.tookMs).toBeLessThan(2000);
  }
  const { status, states, tookMs } = await readiness();
  expect({ status, states }).toMatchObject({ status: 503, states: { redis: 'down', chroma: 'up', blobs: 'up' } });
  expect(tookMs).toBeLessThan(2500);
  expect(Math.max(...(await breakers('redis')))).toBeGreaterThan(0);
  await thawed;
  await works();
  expect(await waitForEnd(service, running, recoversWithinMs)).toMatchObject({ state: 'succeeded' });
  // What timed out on the way may have been carried out late: nothing of it may stay open.
  await eventually(async () => {
    const { items } = await service.client.jobs({ limit: 100 });
    return items.every((job) => isTerminal(job.state));
  }, 120_000);
  await eventually(async () => (await breakers('redis')).every((state) => state === 0));
  expect(await processes()).toEqual(before);
}, 240_000);

test('Redis full: nothing is accepted, what is there can be read and searched, and room is all it takes', async () => {
  const before = await processes();
  const known = (await post(text())).body.id ?? '';
  await waitForEnd(service, known);
  const redis = new Redis(servers.env.REDIS_URL ?? '');
  try {
    await redis.config('SET', 'maxmemory', '1mb');
    const answer = await post(text());
    expect(answer).toMatchObject(refused);
    expect(Number(answer.retryAfter)).toBeGreaterThan(0);
    expect((await ask('GET', `${apiPrefix}/jobs/${known}`)).status).toBe(200);
    expect((await search('cargo')).status).toBe(200);
    expect(await readiness()).toMatchObject({ status: 200, states: { redis: 'up', redisWrites: 'down' } });
    await redis.config('SET', 'maxmemory', '0');
    await works();
    expect(await processes()).toEqual(before);
  } finally {
    await redis.config('SET', 'maxmemory', '0');
    redis.disconnect();
  }
}, 120_000);

test('Redis cannot write to its disk: nothing is accepted, and room is all it takes', async () => {
  const before = await processes();
  const limit = (size: string) =>
    promisify(execFile)('prlimit', ['--pid', String(servers.redis.pid), `--fsize=${size}:unlimited`]);
  await limit('1');
  try {
    // The write that finds the disk full may still be answered well; from then on none is.
    const answer = await eventually(async () => {
      const next = await post(text());
      return next.status === 202 ? undefined : next;
    });
    expect(answer).toMatchObject(refused);
    expect(Number(answer.retryAfter)).toBeGreaterThan(0);
    expect((await readiness()).states).toMatchObject({ redisWrites: 'down', chroma: 'up' });
  } finally {
    await limit('unlimited');
  }
  await works();
  expect(await processes()).toEqual(before);
}, 120_000);

test('Chroma killed in mid-write and away: ingest waits, search says so at once, and both go on by themselves', async () => {
  const before = await processes();
  const busy = (await post(text(200))).body.id ?? '';
  await eventually(async () => {
    const { stages } = await service.client.job(busy);
    return (
      stages.some(({ name, state }) => name === 'index' && state === 'running') ||
      isTerminal((await service.client.job(busy)).state)
    );
  }, 60_000);
  let waiting: string[] = [];
  await servers.chroma.end('SIGKILL', longOutageMs, async () => {
    waiting = await Promise.all([1, 2, 3].map(async () => (await post(text())).body.id ?? ''));
    for (const id of waiting) {
      const job = await eventually(async () => {
        const now = await service.client.job(id);
        return now.state === 'waiting' ? now : undefined;
      });
      expect(job).toMatchObject({ stage: 'index' });
      expect(job.stages.find(({ name }) => name === 'index')).toMatchObject({
        state: 'waiting',
        error: { code: 'dependency_unavailable' },
      });
    }
    for (let call = 1; call <= 4; call += 1) {
      const answer = await search('cargo');
      expectTruth(answer);
      expect(answer.tookMs).toBeLessThan(2000);
    }
    expect(Math.max(...(await breakers('chroma')))).toBe(2);
    expect(await readiness()).toMatchObject({ status: 200, states: { chroma: 'down', redis: 'up' } });
  });
  const backAt = Date.now();
  const ended = await allEnded([busy, ...waiting]);
  expect(Date.now() - backAt).toBeLessThan(recoversWithinMs);
  expect(ended.map(({ state }) => state)).toEqual(ended.map(() => 'succeeded'));
  // Waiting used up no attempt.
  for (const { stages } of ended.slice(1)) {
    expect(stages.find(({ name }) => name === 'index')?.attempts).toBeLessThanOrEqual(1);
  }
  await works();
  await eventually(async () => (await breakers('chroma')).every((state) => state === 0));
  await consistent();
  expect(await processes()).toEqual(before);
}, 240_000);

test('Chroma frozen: one search waits for its deadline, the next ones do not, and it is found again', async () => {
  const before = await processes();
  const thawed = servers.chroma.freeze(longOutageMs);
  const first = await search('cargo');
  expect(first.tookMs).toBeLessThan(6000);
  const second = await search('pier');
  expect(second.tookMs).toBeLessThan(1500);
  for (const answer of [first, second]) expectTruth(answer);
  const { states, tookMs } = await readiness();
  expect(states).toMatchObject({ chroma: 'down', redis: 'up' });
  expect(tookMs).toBeLessThan(2500);
  const id = (await post(text())).body.id ?? '';
  expect(id).not.toBe('');
  await thawed;
  const backAt = Date.now();
  expect(await waitForEnd(service, id, recoversWithinMs)).toMatchObject({ state: 'succeeded' });
  await works();
  expect(Date.now() - backAt).toBeLessThan(recoversWithinMs);
  await consistent();
  expect(await processes()).toEqual(before);
}, 240_000);
