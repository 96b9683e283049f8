import { afterEach, expect, test } from '@jest/globals';
import type { JobRecord } from '@semantic-memory/shared/ports/ledger';
import { freshScope, jobOf, model, versionOf } from '@semantic-memory/shared/testing/ledger-fixtures';
import { closeRedis, openRedis, withRedis } from './connection.ts';
import { ledgerKeys } from './keys.ts';
import { createRedisLedger } from './ledger.ts';
import { openRedisLink } from './testing/redis-link.ts';

const url = process.env.TEST_REDIS_URL ?? '';
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

let benches = 0;
/** @param ledgerUrl where the ledger under test finds Redis */
async function createBench(ledgerUrl = url) {
  benches += 1;
  const prefix = `recovery-test-${process.pid}-${benches}`;
  const redis = openRedis(url, { name: 'test', prefix: 'test' });
  const [ledger, other] = [createRedisLedger({ url: ledgerUrl, prefix }), createRedisLedger({ url, prefix })];
  closers.push(
    () => closeRedis(redis),
    () => ledger.close(),
    () => other.close(),
  );
  await withRedis(redis, () => redis.ping());
  const keys = ledgerKeys(prefix);
  const stored = () => redis.keys(`${prefix}:*`);
  /** What FLUSHALL does, to this test's keys. */
  const empty = async () => {
    const all = await stored();
    if (all.length > 0) await redis.del(all);
  };
  return { redis, ledger, other, keys, stored, empty };
}

const refused = { code: 'rebuilding', retry: { kind: 'wait' } };
const scope = freshScope();
const job: JobRecord = jobOf(scope, 'd', 1);
const never = new AbortController().signal;

test('an emptied ledger refuses every call and takes nothing in, until it was rebuilt', async () => {
  const { ledger, stored, empty } = await createBench();
  await ledger.rebuildOnce(async () => {});
  await ledger.createJob(job, versionOf(job), { title: 't', metadata: {} });
  await empty();
  const { tenant } = scope;
  const calls: (() => Promise<unknown>)[] = [
    () => ledger.check(),
    () => ledger.reserveVersion(scope, 'd', model),
    () => ledger.createJob(job, versionOf(job), { title: 't', metadata: {} }),
    () => ledger.createParentJob(job),
    () => ledger.getJob(tenant, job.id),
    () => ledger.getJobs(tenant, [job.id]),
    () => ledger.listJobs(tenant, { limit: 10 }),
    () => ledger.updateJob(tenant, job.id, (current) => current),
    () => ledger.updateJob(tenant, job.id, (current) => ({ ...current, state: 'running' }), job),
    () => ledger.watchJob(tenant, job.id, undefined, never)[Symbol.asyncIterator]().next(),
    () => ledger.createBatch(tenant, 'b', [job.id], 1),
    () => ledger.getBatch(tenant, 'b'),
    () => ledger.forgetBatch(tenant, 'b'),
    () => ledger.retire(tenant, 'job', [job.id], 1),
    () => ledger.retired(1, 10),
    () => ledger.forgetJob(tenant, job.id, job),
    () => ledger.addChild(tenant, job.id, job.id),
    () => ledger.children(tenant, job.id),
    () => ledger.getDocument(tenant, 'd'),
    () => ledger.listDocuments(tenant, { limit: 10 }),
    () => ledger.patchDocument(tenant, 'd', { title: { value: 't', upToVersion: 1 } }, job.createdAt),
    () => ledger.describeVersion(scope, 'd', 1, { chunks: 1 }),
    () => ledger.activateVersion(scope, 'd', 1, job.createdAt),
    () => ledger.failVersion(scope, 'd', 1, { code: 'internal', message: '' }, job.createdAt),
    () => ledger.removeDocument(tenant, 'd'),
    () => ledger.documentChanges(scope, undefined),
    () => ledger.namespaces(tenant),
    () => ledger.openJobs(10),
    () => ledger.tenants(),
    () => ledger.reviseDocument(scope, 'd', model, (current) => current),
    () => ledger.restoreJob(job),
    () => ledger.countVersion(tenant, 'd', 1),
    () => ledger.withdrawVersion(scope, 'd', 1, job.id),
    () => ledger.markIndex(scope, 'incomplete'),
  ];
  for (const call of calls) await expect(call()).rejects.toMatchObject(refused);
  expect(await stored()).toEqual([]);
});

test('one process rebuilds, with a ledger of its own, and all find it whole afterwards', async () => {
  const { ledger, other, redis, keys } = await createBench();
  await redis.set(`${keys.root}left-over`, 'of a rebuild that was cut off');
  const began = Promise.withResolvers<void>();
  const mayEnd = Promise.withResolvers<void>();
  const rebuilt = ledger.rebuildOnce(async (inside) => {
    await inside.restoreJob({ ...job, state: 'succeeded' });
    began.resolve();
    await mayEnd.promise;
  });
  await began.promise;
  expect(await other.isWhole()).toBe(false);
  expect(await other.rebuildOnce(async () => {})).toBe(false);
  await expect(other.getJob(scope.tenant, job.id)).rejects.toMatchObject(refused);
  mayEnd.resolve();
  expect(await rebuilt).toBe(true);
  expect(await other.getJob(scope.tenant, job.id)).toMatchObject({ state: 'succeeded' });
  expect(await other.rebuildOnce(async () => {})).toBe(false);
  expect(await redis.exists(`${keys.root}left-over`)).toBe(0);
});

test('a rebuilder that has lost its right writes nothing more and does not declare the ledger whole', async () => {
  const { ledger, other, redis, keys } = await createBench();
  const rebuilding = ledger.rebuildOnce(async (inside) => {
    await redis.del(keys.rebuilder);
    await other.rebuildOnce(async () => {});
    await inside.restoreJob(job);
  });
  await expect(rebuilding).rejects.toMatchObject(refused);
  expect(await other.isWhole()).toBe(true);
  expect(await other.getJob(scope.tenant, job.id)).toBeUndefined();
});

test('a rebuild that fails leaves the ledger to the next one at once', async () => {
  const { ledger, other } = await createBench();
  await expect(ledger.rebuildOnce(() => Promise.reject(new Error('the disk is away')))).rejects.toThrow('away');
  expect(await other.isWhole()).toBe(false);
  expect(await other.rebuildOnce(async () => {})).toBe(true);
});

test('a record from before a loss is never taken for the one that was restored', async () => {
  const { ledger, empty } = await createBench();
  await ledger.rebuildOnce(async () => {});
  await ledger.createParentJob(job);
  const known = await ledger.updateJob(scope.tenant, job.id, (current) => ({ ...current, state: 'running' }));
  await empty();
  await ledger.rebuildOnce(async (inside) => {
    await inside.restoreJob({ ...job, state: 'failed' });
  });
  const decided: string[] = [];
  await ledger.updateJob(
    scope.tenant,
    job.id,
    (current) => {
      decided.push(current.state);
      return current.state === 'running' ? { ...current, state: 'succeeded' } : undefined;
    },
    known,
  );
  expect(decided.at(-1)).toBe('failed');
  expect(await ledger.getJob(scope.tenant, job.id)).toMatchObject({ state: 'failed' });
});

test('whoever follows a namespace over another connection starts afresh: generations may be counted once more', async () => {
  const link = await openRedisLink(url);
  closers.push(() => link.close());
  const { ledger } = await createBench(link.url);
  await ledger.rebuildOnce(async () => {});
  await ledger.createJob(job, versionOf(job), { title: 't', metadata: {} });
  await ledger.reserveVersion(scope, 'd', model);
  const { cursor } = await ledger.documentChanges(scope, undefined);
  expect((await ledger.documentChanges(scope, cursor)).reset).toBe(false);
  link.cut();
  link.restore();
  let again = await ledger.documentChanges(scope, cursor).catch(() => undefined);
  while (!again) again = await ledger.documentChanges(scope, cursor).catch(() => undefined);
  expect(again.reset).toBe(true);
});

test('the start of the server is known, and up to which one the ledger was compared', async () => {
  const { ledger } = await createBench();
  await ledger.rebuildOnce(async () => {});
  const start = await ledger.serverStart();
  expect(start).toMatch(/^[0-9a-f]{40}$/);
  expect(await ledger.comparedStart()).toBeUndefined();
  await ledger.markCompared(start);
  expect(await ledger.comparedStart()).toBe(start);
});

test('after a start of the server the ledger counts as compared once that start is marked', async () => {
  const { ledger } = await createBench();
  await ledger.rebuildOnce(async () => {});
  expect(await ledger.isCompared()).toBe(false);
  await ledger.markCompared(await ledger.serverStart());
  expect(await ledger.isCompared()).toBe(true);
});
