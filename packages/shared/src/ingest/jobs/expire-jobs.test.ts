import { expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import { createExpiringFlow, day, request } from '../../testing/expiring-flow.ts';
import { silentLogger } from '../../testing/in-memory-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { accept } from '../accept.ts';
import { newJobId } from '../new-id.ts';
import { reconcile } from '../recovery/reconcile.ts';
import { removeDocument } from '../remove.ts';
import { manifestKey, tombstoneKey } from '../stored/blob-keys.ts';
import { expireVersions } from '../versions/expire.ts';
import { expireJobs } from './expire-jobs.ts';
import { retryJob } from './retry.ts';

test('the job of an expired version is forgotten once it ended long enough ago, and no rebuild brings it back', async () => {
  const expiring = createExpiringFlow();
  const { flow } = expiring;
  const first = await expiring.ingested('The harbour is open.');
  const second = await expiring.ingested('The harbour is closed.');
  flow.ahead = 10 * day - 60_000;
  await expireVersions(flow.deps, day);
  expect((await flow.ledger.getDocument('acme', 'notes'))?.versions).toHaveLength(1);
  expect(await expiring.expire()).toBe(0);
  expect(await expiring.jobIds()).toEqual([second.id, first.id]);
  flow.ahead = 10 * day + 60_000;
  expect(await expiring.expire()).toBe(1);
  expect(await expiring.jobIds()).toEqual([second.id]);
  await expiring.loseAndRebuild();
  expect(await expiring.jobIds()).toEqual([second.id]);
  flow.ahead = 1000 * day;
  expect(await expiring.expire()).toBe(0);
  expect(await expiring.jobIds()).toEqual([second.id]);
});

test('jobs of a deleted document are forgotten so long after its delete, and a rebuild tells the same', async () => {
  const expiring = createExpiringFlow();
  const { flow } = expiring;
  const job = await expiring.ingested('The harbour is open.');
  flow.ahead = 100 * day;
  await removeDocument(flow.deps, 'acme', 'notes');
  flow.ahead = 109 * day;
  await expiring.loseAndRebuild();
  expect(await expiring.expire()).toBe(0);
  expect(await flow.ledger.getJob('acme', job.id)).toMatchObject({ state: 'succeeded' });
  flow.ahead = 110 * day + 60_000;
  expect(await expiring.expire()).toBe(1);
  expect(await flow.ledger.getJob('acme', job.id)).toBeUndefined();
  await reconcile(flow.deps, { documents: 'all' });
  expect(await expiring.jobIds()).toEqual([]);
  await expiring.loseAndRebuild();
  expect(await expiring.jobIds()).toEqual([]);
  // Its numbers go on all the same.
  expect(await expiring.ingested('The harbour is new.')).toMatchObject({ version: 2 });
});

test('of a document that is deleted again each job is kept from its own delete on', async () => {
  const expiring = createExpiringFlow();
  const { flow } = expiring;
  await expiring.ingested('The harbour is open.');
  await removeDocument(flow.deps, 'acme', 'notes');
  flow.ahead = 6 * day;
  const second = await expiring.ingested('The harbour is closed.');
  await removeDocument(flow.deps, 'acme', 'notes');
  flow.ahead = 10 * day + 60_000;
  await expiring.loseAndRebuild();
  expect(await expiring.jobIds()).toEqual([second.id]);
  expect(await expiring.expire()).toBe(0);
  flow.ahead = 17 * day;
  expect(await expiring.expire()).toBe(1);
  expect(await expiring.jobIds()).toEqual([]);
});

test('jobs of a delete that an earlier release recorded are kept from that delete on', async () => {
  const expiring = createExpiringFlow();
  const { flow } = expiring;
  const job = await expiring.ingested('The harbour is open.');
  await removeDocument(flow.deps, 'acme', 'notes');
  const key = tombstoneKey('acme', 'notes');
  const tombstone = JSON.parse(new TextDecoder().decode(await flow.blobs.get(key)));
  for (const told of tombstone.jobs) delete told.deletedAt;
  await flow.blobs.put(key, new TextEncoder().encode(JSON.stringify(tombstone)));
  flow.ahead = 5 * day;
  await expiring.loseAndRebuild();
  expect(await expiring.jobIds()).toEqual([job.id]);
  await expiring.ingested('The harbour is closed.');
  await removeDocument(flow.deps, 'acme', 'notes');
  flow.ahead = 11 * day;
  await expiring.loseAndRebuild();
  expect(await expiring.jobIds()).not.toContain(job.id);
});

test('a version whose job the ledger has lost expires all the same', async () => {
  const expiring = createExpiringFlow();
  const { flow } = expiring;
  const first = await expiring.ingested('The harbour is open.');
  await expiring.ingested('The harbour is closed.');
  await flow.ledger.forgetJob('acme', first.id, await flow.ledger.getJob('acme', first.id));
  flow.ahead = 2 * day;
  expect(await expireVersions(flow.deps, day)).toBe(1);
  expect((await flow.ledger.getDocument('acme', 'notes'))?.versions).toHaveLength(1);
});

test('a ledger that still has a job of a version that has expired since is told to forget it', async () => {
  const expiring = createExpiringFlow();
  const { flow } = expiring;
  const first = await expiring.ingested('The harbour is open.');
  await expiring.ingested('The harbour is closed.');
  flow.ahead = 2 * day;
  const lose = flow.ledger.remember();
  await expireVersions(flow.deps, day);
  lose();
  await reconcile(flow.deps, { documents: 'all' });
  expect(await expiring.jobIds()).toContain(first.id);
  flow.ahead = 13 * day;
  expect(await expiring.expire()).toBe(1);
  expect(await expiring.jobIds()).not.toContain(first.id);
});

test('a job is not forgotten while its version is there, whoever says so', async () => {
  const expiring = createExpiringFlow();
  const { flow } = expiring;
  const known = await expiring.ingested('The harbour is open.');
  // A re-index has a version and no document.
  const source = { type: 'reindex', model: flow.deps.embeddingModel, force: false } as const;
  const reindex = await accept(flow.deps, { ...request, source });
  await flow.drain();
  flow.ahead = 20 * day;
  await flow.ledger.retire('acme', 'job', [known.id, reindex.id], 1);
  expect(await expireJobs(flow.deps)).toBe(0);
  expect((await expiring.jobIds()).toSorted()).toEqual([known.id, reindex.id].toSorted());
});

test('a job of many documents is forgotten so long after its last end, with what is stored of it', async () => {
  const expiring = createExpiringFlow();
  const { flow } = expiring;
  const source = { type: 'git', url: 'https://example.org/r.git' } as const;
  const parent = await accept(flow.deps, { ...request, source });
  await flow.drain();
  expect(await flow.ledger.getJob('acme', parent.id)).toMatchObject({ state: 'failed' });
  await reconcile(flow.deps, { documents: 'all' });
  flow.ahead = 9 * day;
  await retryJob(flow.deps, 'acme', parent.id);
  flow.ahead = 11 * day;
  // It is on its way again.
  expect(await expireJobs(flow.deps)).toBe(0);
  await flow.drain();
  flow.ahead = 13 * day;
  // It has just ended.
  expect(await expireJobs(flow.deps)).toBe(0);
  await expiring.loseAndRebuild();
  expect(await expiring.jobIds()).toEqual([parent.id]);
  flow.ahead = 22 * day;
  expect(await expireJobs(flow.deps)).toBe(1);
  expect(await expiring.jobIds()).toEqual([]);
  expect([...flow.blobs.blobs.keys()].filter((key) => key.startsWith('tenants/'))).toEqual([]);
  await expiring.loseAndRebuild();
  expect(await expiring.jobIds()).toEqual([]);
});

test('a dead letter stays when its version has expired, and goes with its document', async () => {
  const expiring = createExpiringFlow();
  const { flow } = expiring;
  flow.faults.parse = new Error('broken');
  const dead = await flow.ingest('The harbour is open.');
  await flow.runNext({ attempt: 5, lastAttempt: true });
  await expiring.ingested('The harbour is closed.');
  flow.ahead = 20 * day;
  expect(await expiring.expire()).toBe(0);
  expect((await flow.ledger.getDocument('acme', 'notes'))?.versions).toHaveLength(1);
  expect(await flow.ledger.getJob('acme', dead.id)).toMatchObject({ state: 'failed', error: { code: 'internal' } });
  await removeDocument(flow.deps, 'acme', 'notes');
  flow.ahead = 31 * day;
  expect(await expiring.expire()).toBe(2);
  expect(await expiring.jobIds()).toEqual([]);
});

test('a manifest that cannot be read keeps its job, and none of the others', async () => {
  const expiring = createExpiringFlow();
  const { flow } = expiring;
  const said: string[] = [];
  Object.assign(flow.deps, { logger: { ...silentLogger, error: (message: string) => void said.push(message) } });
  const [one, two] = [
    await expiring.ingested('One.', { documentId: 'one' }),
    await expiring.ingested('Two.', { documentId: 'two' }),
  ];
  for (const id of ['one', 'two']) await removeDocument(flow.deps, 'acme', id);
  await flow.blobs.put(manifestKey(one), new TextEncoder().encode('{"half":'));
  flow.ahead = 11 * day;
  expect(await expireJobs(flow.deps)).toBe(1);
  expect(await expiring.jobIds()).toEqual([one.id]);
  expect(await flow.ledger.getJob('acme', two.id)).toBeUndefined();
  expect(said).toEqual([expect.stringContaining('whether a job can be forgotten')]);
  flow.ahead = 13 * day;
  onNext(
    flow.blobs,
    'get',
    () => Promise.reject(new MemoryError('dependency_unavailable', 'Away.')),
    (key) => key === manifestKey(one),
  );
  await expect(expireJobs(flow.deps)).rejects.toMatchObject({ code: 'dependency_unavailable' });
});

test.each([
  ['partial', 1],
  ['succeeded', 0],
] as const)(
  'while a job that is %s may bring its documents anew, %i of the jobs that it made and that are gone are kept',
  async (state, kept) => {
    const expiring = createExpiringFlow();
    const { flow } = expiring;
    const job = await expiring.ingested('The harbour is open.');
    const parent: JobRecord = {
      ...job,
      id: newJobId(),
      documentId: 'repository',
      state,
      sourceType: 'git',
    };
    const child: JobRecord = { ...parent, id: newJobId(), documentId: 'a', parentJobId: parent.id };
    await flow.ledger.createParentJob(parent);
    await flow.ledger.createParentJob(child);
    await flow.ledger.retire('acme', 'job', [child.id], 1);
    flow.ahead = 11 * day;
    expect(await expireJobs(flow.deps)).toBe(1 - kept);
    expect((await flow.ledger.getJob('acme', child.id)) === undefined).toBe(kept === 0);
  },
);

test('what changes in the very moment is looked at again a day later, and a run ends however much is due', async () => {
  const expiring = createExpiringFlow();
  const { flow } = expiring;
  const job = await expiring.ingested('The harbour is open.');
  await removeDocument(flow.deps, 'acme', 'notes');
  flow.ahead = 11 * day;
  onNext(flow.ledger, 'forgetJob', async () => false);
  expect(await expireJobs(flow.deps)).toBe(0);
  expect(await expireJobs(flow.deps)).toBe(0);
  flow.ahead = 12 * day + 60_000;
  expect(await expireJobs(flow.deps)).toBe(1);
  expect(await flow.ledger.getJob('acme', job.id)).toBeUndefined();
  const many = Array.from({ length: 10_001 }, (_, at) => `job_${at}`);
  await flow.ledger.retire('acme', 'job', many, 1);
  expect(await expireJobs(flow.deps)).toBe(10_000);
  expect(await expireJobs(flow.deps)).toBe(1);
});
