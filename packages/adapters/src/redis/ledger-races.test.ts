import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  accept,
  acceptActive,
  collect,
  freshScope,
  jobOf,
  model,
  never,
  nextTime,
  to,
  versionOf,
} from '@semantic-memory/shared/testing/ledger-fixtures';
import { createChangeSignals } from './change-signals.ts';
import { closeRedis, openRedis, withRedis } from './connection.ts';
import { readDocumentChanges } from './document-changes.ts';
import { createDocumentStore } from './document-store.ts';
import { watchJob } from './job-events.ts';
import { createJobStore } from './job-store.ts';
import { ledgerKeys } from './keys.ts';
import { createRedisLedger } from './ledger.ts';
import { interruptedRedis } from './testing/interrupted-redis.ts';

/** What happens where two processes act on the same document or job at the same time. */
const url = process.env.TEST_REDIS_URL ?? '';
const prefix = `ledger-races-test-${process.pid}`;
const keys = ledgerKeys(prefix);
const redis = openRedis(url, { name: 'test', prefix: 'test' });
const ledger = createRedisLedger({ url, prefix });
beforeAll(async () => {
  await withRedis(redis, () => redis.ping());
  await ledger.rebuildOnce(async () => {});
});
afterAll(() => Promise.all([ledger.close(), closeRedis(redis)]));

test('a repair that meets another decides anew on what the other has written', async () => {
  const scope = freshScope();
  await acceptActive(ledger, scope, 'd');
  const seen: (string | undefined)[] = [];
  const retitle = (title: string) =>
    ledger.reviseDocument(scope, 'd', model, (current) => {
      seen.push(current?.title);
      return current && { ...current, title };
    });
  // Both have read the document before either writes.
  expect(await Promise.all([retitle('first'), retitle('second')])).toEqual([true, true]);
  expect(seen).toEqual(['Title of d', 'Title of d', 'first']);
  expect((await ledger.getDocument(scope.tenant, 'd'))?.title).toBe('second');
});

test('a removal that meets a change removes the document as the change has left it', async () => {
  const scope = freshScope();
  await acceptActive(ledger, scope, 'd');
  const [, removed] = await Promise.all([
    ledger.patchDocument(scope.tenant, 'd', { title: { value: 'changed', upToVersion: 1 } }, nextTime()),
    ledger.removeDocument(scope.tenant, 'd'),
  ]);
  expect(removed?.document.title).toBe('changed');
  expect(await ledger.getDocument(scope.tenant, 'd')).toBeUndefined();
});

test('of two removals at the same time one finds the document', async () => {
  const scope = freshScope();
  await acceptActive(ledger, scope, 'd');
  const removals = await Promise.all([
    ledger.removeDocument(scope.tenant, 'd'),
    ledger.removeDocument(scope.tenant, 'd'),
  ]);
  expect(removals.filter((removal) => removal !== undefined)).toHaveLength(1);
});

test('a withdrawal of the only version that meets a change of it withdraws it all the same', async () => {
  const scope = freshScope();
  const job = await accept(ledger, scope, 'd');
  const [, withdrawn] = await Promise.all([
    ledger.describeVersion(scope, 'd', job.version, { chunks: 3 }),
    ledger.withdrawVersion(scope, 'd', job.version, job.id),
  ]);
  expect(withdrawn).toBe(true);
  expect(await ledger.getDocument(scope.tenant, 'd')).toBeUndefined();
  expect(await ledger.getJob(scope.tenant, job.id)).toBeUndefined();
});

test('a change of a job that was withdrawn since it was read changes nothing', async () => {
  const scope = freshScope();
  const job = await accept(ledger, scope, 'd');
  const known = await ledger.getJob(scope.tenant, job.id);
  await ledger.withdrawVersion(scope, 'd', job.version, job.id);
  expect(await ledger.updateJob(scope.tenant, job.id, to('running'), known)).toBeUndefined();
  expect(await ledger.getJob(scope.tenant, job.id)).toBeUndefined();
});

test('a job that is recorded for a version that is there already leaves the document as it is', async () => {
  const scope = freshScope();
  const job = await acceptActive(ledger, scope, 'd');
  const before = await ledger.getDocument(scope.tenant, 'd');
  const again = jobOf(scope, 'd', job.version);
  await ledger.createJob(again, { ...versionOf(again), sha256: 'other' }, { title: 'other', metadata: {} });
  expect(await ledger.getDocument(scope.tenant, 'd')).toEqual(before);
  expect(await ledger.getJob(scope.tenant, again.id)).toEqual(again);
});

test('a job for a document that lives in another namespace is refused', async () => {
  const scope = freshScope();
  await accept(ledger, scope, 'd');
  const elsewhere = jobOf({ ...scope, namespace: 'other' }, 'd', 2);
  const recorded = ledger.createJob(elsewhere, versionOf(elsewhere), { title: '', metadata: {} });
  await expect(recorded).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('default') });
  expect(await ledger.getJob(scope.tenant, elsewhere.id)).toBeUndefined();
});

test('a repair of a document that lives in another namespace is refused', async () => {
  const scope = freshScope();
  await acceptActive(ledger, scope, 'd');
  const other = { ...scope, namespace: 'other' };
  const document = { ...(await storedDocument(scope, 'd')), namespace: 'other' };
  await expect(ledger.reviseDocument(other, 'd', model, () => document)).rejects.toMatchObject({ code: 'conflict' });
  expect((await ledger.getDocument(scope.tenant, 'd'))?.namespace).toBe('default');
});

async function storedDocument(scope: ReturnType<typeof freshScope>, documentId: string) {
  const stored = await redis.hget(keys.namespace(scope).documents, documentId);
  return JSON.parse(stored!.slice(stored!.indexOf(' ') + 1));
}

test('a document that was reserved and never came can be removed, and there is nothing to remove or to change', async () => {
  const scope = freshScope();
  await ledger.reserveVersion(scope, 'd', model);
  const patch = { title: { value: 't', upToVersion: 1 } };
  expect(await ledger.patchDocument(scope.tenant, 'd', patch, nextTime())).toBeUndefined();
  expect(await ledger.removeDocument(scope.tenant, 'd')).toBeUndefined();
  expect(await ledger.patchDocument(scope.tenant, 'd', patch, nextTime())).toBeUndefined();
  // Its name is free, also elsewhere.
  await ledger.reserveVersion({ ...scope, namespace: 'other' }, 'd', model);
});

test('a namespace whose head is gone between the two reads of a list has no model', async () => {
  const scope = freshScope();
  await ledger.reserveVersion(scope, 'd', model);
  const vanishing = interruptedRedis(redis, async (name, run) => {
    const result = await run();
    if (name === 'smembers') await redis.del(keys.namespace(scope).head);
    return result;
  });
  const store = createDocumentStore({ redis: vanishing, keys });
  expect(await store.namespaces(scope.tenant)).toEqual([{ namespace: 'default', embeddingModel: '' }]);
});

test('where a removal is forgotten while the rows are being loaded they are loaded anew, without it', async () => {
  const scope = freshScope();
  const store = createDocumentStore({ redis, keys, maxTombstones: 1 });
  for (const id of ['a', 'b', 'c', 'd']) await acceptActive(ledger, scope, id);
  let calls = 0;
  const busy = interruptedRedis(redis, async (name, run) => {
    const result = await run();
    // After the first page: `a` is known by then, and the tombstone of its removal makes room for that of `b`.
    if (name === 'evalsha' && ++calls === 1) {
      await store.removeDocument(scope.tenant, 'a');
      await store.removeDocument(scope.tenant, 'b');
    }
    return result;
  });
  const all = await readDocumentChanges({ redis: busy, keys }, scope, undefined, 1);
  expect([all.reset, all.rows.map(({ documentId }) => documentId)]).toEqual([true, ['c', 'd']]);
});

test('however many jobs are asked for, Redis is asked for some of them at a time', async () => {
  const scope = freshScope();
  const { id } = await accept(ledger, scope, 'd');
  const asked: number[] = [];
  const counted = interruptedRedis(redis, (name, run, [names]) => {
    if (name === 'mget') asked.push((names as readonly string[]).length);
    return run();
  });
  const { getJobs } = createJobStore({ redis: counted, keys });
  const unknown = Array.from({ length: 1100 }, (_, number) => `job_${String(number).padStart(26, '0')}`);
  expect((await getJobs(scope.tenant, [id, ...unknown, id])).map((job) => job.id)).toEqual([id, id]);
  expect(asked).toEqual([500, 500, 102]);
  expect(await getJobs(scope.tenant, [])).toEqual([]);
});

test('who watches a job sees what happened between two of its reads, in order', async () => {
  const scope = freshScope();
  const job = await accept(ledger, scope, 'd');
  const [first] = await collect(upTo(1, ledger.watchJob(scope.tenant, job.id, undefined, never)));
  let isOver = false;
  const busy = interruptedRedis(redis, async (name, run) => {
    if (name === 'get' && !isOver) {
      isOver = true;
      await ledger.updateJob(scope.tenant, job.id, to('running'));
      await ledger.updateJob(scope.tenant, job.id, to('succeeded'));
    }
    return run();
  });
  const signals = createChangeSignals(() => openRedis(url, { name: 'watch', prefix: 'test' }));
  const seen = await collect(watchJob({ redis: busy, keys, signals }, scope.tenant, job.id, first?.id, never));
  await signals.close();
  expect(seen.map((event) => event.job.state)).toEqual(['running', 'succeeded']);
});

test('who watches a job and has heard enough hears no more', async () => {
  const scope = freshScope();
  const job = await accept(ledger, scope, 'd');
  await ledger.updateJob(scope.tenant, job.id, to('running'));
  const enough = new AbortController();
  const seen: string[] = [];
  for await (const event of ledger.watchJob(scope.tenant, job.id, undefined, enough.signal)) {
    seen.push(event.job.state);
    enough.abort();
  }
  expect(seen).toEqual(['queued']);
});

async function* upTo<Item>(count: number, items: AsyncIterable<Item>) {
  let left = count;
  for await (const item of items) {
    yield item;
    left -= 1;
    if (left === 0) return;
  }
}

test('a page of jobs that seldom match is read on until it is full', async () => {
  const scope = freshScope();
  const jobs = Array.from({ length: 130 }, () => jobOf(scope, 'd', 1));
  await Promise.all(jobs.map((job) => ledger.createParentJob(job)));
  const wanted = new Set([jobs[0]?.id, jobs[1]?.id, jobs[120]?.id]);
  const query = { limit: 2, matches: ({ id }: { id: string }) => wanted.has(id) };
  const page = await ledger.listJobs(scope.tenant, query);
  expect(page.items.map(({ id }) => id)).toEqual([jobs[120]?.id, jobs[1]?.id]);
  const last = await ledger.listJobs(scope.tenant, { ...query, cursor: page.nextCursor });
  expect([last.items.map(({ id }) => id), last.nextCursor]).toEqual([[jobs[0]?.id], undefined]);
});
