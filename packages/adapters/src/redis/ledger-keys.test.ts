import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { JobEvent, JobRecord } from '@semantic-memory/shared/ports/ledger';
import { closeRedis, openRedis } from './connection.ts';
import { readDocumentChanges } from './document-changes.ts';
import { createDocumentStore } from './document-store.ts';
import { ledgerKeys } from './keys.ts';
import { createRedisLedger } from './ledger.ts';

/** What only shows in the stored keys, or with limits that a test cannot reach from outside. */
const url = process.env.TEST_REDIS_URL ?? '';
const prefix = `ledger-keys-test-${process.pid}`;
const redis = openRedis(url, { name: 'test', prefix: 'test' });
const ledger = createRedisLedger({ url, prefix });
beforeAll(() => ledger.rebuildOnce(async () => {}));
afterAll(() => Promise.all([ledger.close(), closeRedis(redis)]));

const keys = ledgerKeys(prefix);
const never = new AbortController().signal;
const at = '2026-01-01T00:00:00.000Z';
const scopeOf = (tenant: string) => ({ tenant, namespace: 'n' });

let jobs = 0;
async function accept(tenant: string, documentId: string) {
  const { version } = await ledger.reserveVersion(scopeOf(tenant), documentId, 'm');
  jobs += 1;
  const job: JobRecord = {
    ...{ id: `job_${String(jobs).padStart(26, '0')}`, tenant, namespace: 'n', documentId, version, run: 0 },
    ...{ state: 'queued', stage: 'parse', progress: 0, stages: [], warnings: [], priority: 'normal' },
    ...{ sourceType: 'upload', createdAt: at, updatedAt: at },
  };
  const record = {
    version,
    state: 'pending',
    jobId: job.id,
    sha256: '',
    bytes: 0,
    chunks: 0,
    createdAt: at,
    mediaType: '',
  } as const;
  await ledger.createJob(job, record, { title: '', metadata: {} });
  return job;
}

async function collect(events: AsyncIterable<JobEvent>) {
  const all: JobEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

test('events expire a day after the end, not before it, and a retry keeps them', async () => {
  const job = await accept('expiry', 'd');
  const stream = keys.tenant('expiry').events(job.id);
  expect(await redis.pttl(stream)).toBe(-1);
  await ledger.updateJob('expiry', job.id, (current) => ({ ...current, state: 'failed' }));
  const dayMs = 24 * 3_600_000;
  expect(await redis.pttl(stream)).toBeGreaterThan(dayMs - 60_000);
  expect(await redis.pttl(stream)).toBeLessThanOrEqual(dayMs);
  await ledger.updateJob('expiry', job.id, (current) => ({ ...current, state: 'queued', run: 1 }));
  expect(await redis.pttl(stream)).toBe(-1);
});

test('of a job that is forgotten no key holds anything, and no index a member', async () => {
  const found = async () => {
    const names = (await redis.keys(`${prefix}:ledger:*`)).toSorted();
    const sizes = await Promise.all(
      names.map(async (name) => ((await redis.type(name)) === 'zset' ? redis.zcard(name) : 1)),
    );
    return names.map((name, at) => `${name} ${sizes[at]}`);
  };
  await accept('forgotten', 'd');
  const before = await found();
  const job = await accept('forgotten', 'e');
  await ledger.updateJob('forgotten', job.id, (current) => ({ ...current, state: 'failed' }));
  await ledger.addChild('forgotten', job.id, 'job_child');
  await ledger.retire('forgotten', 'job', [job.id], 1);
  await ledger.removeDocument('forgotten', 'e');
  await ledger.forgetJob('forgotten', job.id, await ledger.getJob('forgotten', job.id));
  expect(await found()).toEqual(before);
});

test('after the events have expired the last one is still told, once', async () => {
  const job = await accept('expired', 'd');
  await ledger.updateJob('expired', job.id, (current) => ({ ...current, state: 'cancelled' }));
  const [first, last] = await collect(ledger.watchJob('expired', job.id, undefined, never));
  await redis.del(keys.tenant('expired').events(job.id));
  expect(await collect(ledger.watchJob('expired', job.id, undefined, never))).toEqual([last]);
  expect(await collect(ledger.watchJob('expired', job.id, first?.id, never))).toEqual([last]);
  expect(await collect(ledger.watchJob('expired', job.id, last?.id, never))).toEqual([]);
});

test('a job of more changes than are read at once is replayed whole', async () => {
  const job = await accept('long', 'd');
  for (let step = 1; step <= 250; step += 1) {
    await ledger.updateJob('long', job.id, (current) => ({ ...current, state: 'running', progress: step / 250 }));
  }
  await ledger.updateJob('long', job.id, (current) => ({ ...current, state: 'succeeded' }));
  expect(await collect(ledger.watchJob('long', job.id, undefined, never))).toHaveLength(252);
});

test('rows that take several reads come all, and again only those that changed', async () => {
  const scope = scopeOf('pages');
  for (let index = 0; index < 10; index += 1) {
    await accept('pages', `d${index}`);
    await ledger.activateVersion(scope, `d${index}`, 1, at);
  }
  await ledger.removeDocument('pages', 'd3');
  for (const rowsPerCall of [1, 3, 9, 10, 100]) {
    const all = await readDocumentChanges({ redis, keys }, scope, undefined, rowsPerCall);
    expect(all.rows.map((row) => row.documentId).sort()).toEqual(
      [0, 1, 2, 4, 5, 6, 7, 8, 9].map((index) => `d${index}`),
    );
    expect(await readDocumentChanges({ redis, keys }, scope, all.cursor, rowsPerCall)).toMatchObject({
      reset: false,
      rows: [],
    });
  }
});

test('whoever is further behind than removals are remembered starts afresh', async () => {
  const scope = scopeOf('tombstones');
  const store = createDocumentStore({ redis, keys, maxTombstones: 2 });
  for (const id of ['a', 'b', 'c', 'd']) {
    await accept('tombstones', id);
    await ledger.activateVersion(scope, id, 1, at);
  }
  const { cursor: behind } = await ledger.documentChanges(scope, undefined);
  await store.removeDocument('tombstones', 'a');
  const { cursor: recent } = await ledger.documentChanges(scope, behind);
  await store.removeDocument('tombstones', 'b');
  await store.removeDocument('tombstones', 'c');
  const afresh = await readDocumentChanges({ redis, keys }, scope, behind, 1);
  expect([afresh.reset, afresh.rows.map((row) => row.documentId)]).toEqual([true, ['d']]);
  const goesOn = await ledger.documentChanges(scope, recent);
  expect([goesOn.reset, goesOn.rows.map((row) => row.documentId).sort()]).toEqual([false, ['b', 'c']]);
});

test('a namespace that was reserved for a document that never came is free after a while', async () => {
  const [mine, other] = [scopeOf('claims'), { tenant: 'claims', namespace: 'other' }];
  await ledger.reserveVersion(mine, 'd', 'm');
  await expect(ledger.reserveVersion(other, 'd', 'm')).rejects.toMatchObject({ code: 'conflict' });
  await redis.hset(keys.tenant('claims').homes, 'd', `${Date.now() - 11 * 60_000}|n`);
  expect((await ledger.reserveVersion(other, 'd', 'm')).version).toBe(2);
  // An accepted document stays where it is, however old.
  await accept('claims', 'e');
  await expect(ledger.reserveVersion(other, 'e', 'm')).rejects.toMatchObject({ code: 'conflict' });
});

test('all that an activation touches shares one hash tag, which differs between namespaces and tenants', () => {
  const tagOf = (key: string) => /\{(.+)\}/.exec(key)?.[1];
  const { postingsOf, ...fixed } = keys.namespace(scopeOf('t'));
  const { list, shelf } = postingsOf('word');
  const tags = [...Object.values(fixed), list, shelf].map(tagOf);
  expect(new Set(tags).size).toBe(1);
  // Joined without care these two would be the same.
  const [one, two] = [
    { tenant: 'a', namespace: 'b:c' },
    { tenant: 'a:b', namespace: 'c' },
  ];
  expect(tagOf(keys.namespace(one).rows)).not.toBe(tagOf(keys.namespace(two).rows));
  expect(tagOf(keys.tenant('t').jobs)).not.toBe(tags[0]);
});
