import { afterEach, expect, test } from '@jest/globals';
import type { JobRecord, Ledger } from '@semantic-memory/shared/ports/ledger';
import { createRedisLedger } from './ledger.ts';
import { openRedisLink } from './testing/redis-link.ts';

const url = process.env.TEST_REDIS_URL ?? '';
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

let benches = 0;
/** One ledger behind a link that can fail, one that always works, and a job that both know. */
async function createBench() {
  benches += 1;
  const prefix = `outage-test-${process.pid}-${benches}`;
  const link = await openRedisLink(url);
  closers.push(() => link.close());
  const ledgers = [createRedisLedger({ url: link.url, prefix }), createRedisLedger({ url, prefix })] as const;
  for (const ledger of ledgers) closers.push(() => ledger.close());
  const job: JobRecord = {
    ...{ id: `job_${'0'.repeat(26)}`, tenant: 't', namespace: 'n', documentId: 'd', version: 1, run: 0 },
    ...{ state: 'queued', stage: 'parse', progress: 0, stages: [], warnings: [], priority: 'normal' },
    ...{ sourceType: 'upload', createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' },
  };
  await ledgers[0].rebuildOnce(async () => {});
  await ledgers[0].createParentJob(job);
  return { link, behindLink: ledgers[0], direct: ledgers[1], job };
}

/** How long until a call works again, in ms. */
async function recovery(ledger: Ledger): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    try {
      await ledger.getJob('t', 'none');
      return performance.now() - startedAt;
    } catch (error) {
      expect(error).toMatchObject({ code: 'dependency_unavailable' });
    }
  }
}

test.each(['cut', 'freeze'] as const)(
  'after a %s of the link calls fail soon, and work again once it is back',
  async (how) => {
    const { link, behindLink, job } = await createBench();
    link[how]();
    const startedAt = performance.now();
    const read = behindLink.getJob('t', job.id);
    await expect(read).rejects.toMatchObject({ code: 'dependency_unavailable', retry: { kind: 'wait' } });
    // The API's own limit is two seconds for the whole answer.
    expect(performance.now() - startedAt).toBeLessThan(1900);
    // Whoever comes next need not wait for it: it is known.
    if (how === 'freeze') {
      const askedAt = performance.now();
      await expect(behindLink.getJob('t', job.id)).rejects.toMatchObject({ code: 'dependency_unavailable' });
      expect(performance.now() - askedAt).toBeLessThan(100);
    }
    link.restore();
    expect(await recovery(behindLink)).toBeLessThan(5000);
    expect(await behindLink.getJob('t', job.id)).toEqual(job);
  },
);

test('a watcher outlives an outage and sees what happened meanwhile', async () => {
  const { link, behindLink, direct, job } = await createBench();
  const watch = behindLink.watchJob('t', job.id, undefined, new AbortController().signal)[Symbol.asyncIterator]();
  await watch.next();
  const waiting = watch.next();
  link.cut();
  await direct.updateJob('t', job.id, (current) => ({ ...current, state: 'running' }));
  await direct.updateJob('t', job.id, (current) => ({ ...current, state: 'succeeded' }));
  link.restore();
  expect((await waiting).value).toMatchObject({ job: { state: 'running' } });
  expect((await watch.next()).value).toMatchObject({ job: { state: 'succeeded' } });
  expect((await watch.next()).done).toBe(true);
}, 15_000);

test('the start of the server is asked for anew where it could not be found out, or the connection broke meanwhile', async () => {
  const { link, behindLink } = await createBench();
  const scope = { tenant: 't', namespace: 'n' };
  const { generation } = await behindLink.documentChanges(scope, undefined);
  for (const breakLink of [() => link.cut(), () => {}]) {
    // The connection of before ends, so that the start has to be asked for again.
    link.cut();
    await expect(behindLink.documentChanges(scope, undefined)).rejects.toMatchObject({
      code: 'dependency_unavailable',
    });
    link.restore();
    await recovery(behindLink);
    link.freeze();
    const changes = behindLink.documentChanges(scope, undefined);
    breakLink();
    await expect(changes).rejects.toMatchObject({ code: 'dependency_unavailable' });
    link.restore();
    await recovery(behindLink);
    expect((await behindLink.documentChanges(scope, undefined)).generation).toBe(generation);
  }
}, 15_000);

test('a check of writes writes, and fails where Redis is away', async () => {
  const { link, behindLink } = await createBench();
  await behindLink.checkWrites();
  link.cut();
  await expect(behindLink.checkWrites()).rejects.toMatchObject({ code: 'dependency_unavailable' });
});
