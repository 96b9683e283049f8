import { expect, test } from '@jest/globals';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { retryJob } from '../jobs/retry.ts';
import { checkPostings } from '../recovery/check-postings.ts';
import { reconcile } from '../recovery/reconcile.ts';
import { removeDocument } from '../remove.ts';
import { patchDocument } from './patch-document.ts';

const scope = { tenant: 'acme', namespace: 'default' };

/** How many chunks words find by a stem. */
async function holders(flow: InMemoryFlow, stem: string): Promise<number> {
  const { lists, lengths } = await flow.lexical.read(scope, [`s${stem}`]);
  return [...(lists[0] ?? [])].filter((posting) => lengths[posting >>> 5]).length;
}

test('words find a document by the title that it was given later, at once and after its postings were lost', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.', { title: 'Ferry times' });
  await flow.drain();
  expect([await holders(flow, 'ferri'), await holders(flow, 'zeppelin')]).toEqual([1, 0]);
  await patchDocument(flow.deps, 'acme', 'notes', { title: 'Zeppelin times' });
  expect([await holders(flow, 'ferri'), await holders(flow, 'zeppelin')]).toEqual([0, 1]);
  expect(await holders(flow, 'harbour')).toBe(1);
  flow.lexical.deactivate(scope, 'notes');
  expect(await checkPostings(flow.deps, scope, { thorough: false })).toEqual({ missing: 1, restored: 1 });
  expect([await holders(flow, 'ferri'), await holders(flow, 'zeppelin')]).toEqual([0, 1]);
});

test('words find a document by a title that only the blob store had heard of when the process was killed', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.', { title: 'Ferry times' });
  await flow.drain();
  onNext(flow.ledger, 'patchDocument', () => Promise.reject(new Error('The process is killed.')));
  await expect(patchDocument(flow.deps, 'acme', 'notes', { title: 'Zeppelin times' })).rejects.toThrow('is killed');
  expect(await reconcile(flow.deps, { documents: 'all' })).toMatchObject({ drift: { document_differs: 1 } });
  expect(await flow.ledger.getDocument('acme', 'notes')).toMatchObject({ title: 'Zeppelin times' });
  expect([await holders(flow, 'ferri'), await holders(flow, 'zeppelin')]).toEqual([0, 1]);
});

test('words find a document by its new title as soon as the ledger has it, were the process killed at that moment', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.', { title: 'Ferry times' });
  await flow.drain();
  onNext(flow.ledger, 'patchDocument', async (call) => {
    await call();
    throw new Error('The process is killed.');
  });
  await expect(patchDocument(flow.deps, 'acme', 'notes', { title: 'Zeppelin times' })).rejects.toThrow('is killed');
  expect(await flow.ledger.getDocument('acme', 'notes')).toMatchObject({ title: 'Zeppelin times' });
  expect([await holders(flow, 'ferri'), await holders(flow, 'zeppelin')]).toEqual([0, 1]);
});

test('words find a version by the new title that was activated while the one before was given it', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.', { title: 'Ferry times' });
  await flow.drain();
  await flow.ingest('The harbour is deep.', { title: 'Ferry times' });
  onNext(flow.ledger, 'patchDocument', async (call) => {
    await flow.drain();
    return call();
  });
  await patchDocument(flow.deps, 'acme', 'notes', { title: 'Zeppelin times' });
  expect(await flow.ledger.getDocument('acme', 'notes')).toMatchObject({ title: 'Zeppelin times', activeVersion: 2 });
  expect([await holders(flow, 'ferri'), await holders(flow, 'zeppelin'), await holders(flow, 'deep')]).toEqual([
    0, 1, 1,
  ]);
});

test('a document that is deleted while its title is brought back has no words', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.');
  await flow.drain();
  onNext(flow.ledger, 'patchDocument', () => Promise.reject(new Error('The process is killed.')));
  await expect(patchDocument(flow.deps, 'acme', 'notes', { title: 'Zeppelin times' })).rejects.toThrow('is killed');
  onNext(flow.ledger, 'reviseDocument', async (call) => {
    const revised = await call();
    await removeDocument(flow.deps, 'acme', 'notes');
    return revised;
  });
  await reconcile(flow.deps, { documents: 'all' });
  expect(await flow.lexical.count(scope)).toBe(0);
});

test('of two titles at the same time the postings have the one that stands', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.');
  await flow.drain();
  await Promise.all(['Alpha', 'Beta', 'Gamma'].map((title) => patchDocument(flow.deps, 'acme', 'notes', { title })));
  const title = (await flow.ledger.getDocument('acme', 'notes'))?.title ?? '';
  const found = await Promise.all(['alpha', 'beta', 'gamma'].map((stem) => holders(flow, stem)));
  expect(found).toEqual(['Alpha', 'Beta', 'Gamma'].map((other) => (other === title ? 1 : 0)));
});

test('a title before anything is active changes no postings until then, and metadata never do', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.', { title: 'Ferry times' });
  await patchDocument(flow.deps, 'acme', 'notes', { title: 'Zeppelin times' });
  expect(await flow.lexical.count(scope)).toBe(0);
  await flow.drain();
  expect([await holders(flow, 'ferri'), await holders(flow, 'zeppelin')]).toEqual([0, 1]);
  const before = (await flow.lexical.read(scope, [])).rangeOf('notes')?.base;
  await patchDocument(flow.deps, 'acme', 'notes', { metadata: { a: 1 } });
  expect((await flow.lexical.read(scope, [])).rangeOf('notes')?.base).toBe(before);
});

test('new metadata of a document that was never renamed leave its title, and the words of it', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.', { title: 'Ferry times' });
  await flow.drain();
  const patched = await patchDocument(flow.deps, 'acme', 'notes', { metadata: { a: 1 } });
  expect(patched).toMatchObject({ title: 'Ferry times', metadata: { a: 1 } });
  expect(await holders(flow, 'ferri')).toBe(1);
});

test('words find what is tried again by the title that it was given meanwhile', async () => {
  const flow = createInMemoryFlow();
  const { id } = await flow.ingest('The harbour is open.\f', { title: 'Ferry times' });
  await flow.drain();
  await patchDocument(flow.deps, 'acme', 'notes', { title: 'Zeppelin times' });
  flow.faults.ocr.set(2, 'The harbour is deep.');
  await retryJob(flow.deps, 'acme', id);
  await flow.drain();
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'succeeded' });
  expect([await holders(flow, 'ferri'), await holders(flow, 'zeppelin')]).toEqual([0, 1]);
});

test('of a title that is given while words of the one before are written, the words are there in the end', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.', { title: 'Ferry times' });
  await patchDocument(flow.deps, 'acme', 'notes', { title: 'Zeppelin times' });
  onNext(flow.lexical, 'restore', async (call) => {
    await patchDocument(flow.deps, 'acme', 'notes', { title: 'Tram times' });
    return call();
  });
  await flow.drain();
  const found = await Promise.all(['ferri', 'zeppelin', 'tram'].map((stem) => holders(flow, stem)));
  expect(found).toEqual([0, 0, 1]);
});

test('a document that is deleted while the words of its title are written leaves none', async () => {
  const flow = createInMemoryFlow();
  const { id } = await flow.ingest('The harbour is open.', { title: 'Ferry times' });
  await patchDocument(flow.deps, 'acme', 'notes', { title: 'Zeppelin times' });
  onNext(flow.lexical, 'restore', async (call) => {
    await removeDocument(flow.deps, 'acme', 'notes');
    return call();
  });
  await flow.drain();
  expect(await flow.lexical.count(scope)).toBe(0);
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'cancelled' });
});

test('a document that is deleted while it is changed is not there, and nothing of the change is', async () => {
  const flow = createInMemoryFlow();
  expect(await patchDocument(flow.deps, 'acme', 'notes', { title: 'Tides' })).toBeUndefined();
  await flow.ingest('The harbour is open.');
  await flow.drain();
  onNext(flow.ledger, 'patchDocument', async (call) => {
    await removeDocument(flow.deps, 'acme', 'notes');
    return call();
  });
  expect(await patchDocument(flow.deps, 'acme', 'notes', { title: 'Tides' })).toBeUndefined();
  expect([...flow.blobs.blobs.keys()].filter((key) => key.includes('/patch-'))).toEqual([]);
});

test('a later change that reached the ledger before an earlier one stands', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.');
  await flow.drain();
  onNext(flow.ledger, 'patchDocument', async (call) => {
    await patchDocument(flow.deps, 'acme', 'notes', { title: 'The later one' });
    return call();
  });
  expect(
    await patchDocument(flow.deps, 'acme', 'notes', { title: 'The earlier one', metadata: { a: 1 } }),
  ).toMatchObject({
    title: 'The later one',
    metadata: { a: 1 },
  });
});

test('a change record that goes in the very moment leaves what is there', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.');
  await flow.drain();
  onNext(
    flow.blobs,
    'get',
    async () => undefined,
    (key) => key.includes('/patch-'),
  );
  expect(await patchDocument(flow.deps, 'acme', 'notes', { title: 'Tides' })).toMatchObject({ title: 'Tides' });
});

test('who meets others at every attempt is told to ask again', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.');
  await flow.drain();
  const { putIfAbsent } = flow.blobs;
  flow.blobs.putIfAbsent = async (key, bytes) => !key.includes('/patch-') && putIfAbsent(key, bytes);
  await expect(patchDocument(flow.deps, 'acme', 'notes', { title: 'Tides' })).rejects.toMatchObject({
    code: 'conflict',
    hint: 'Ask again in a moment.',
  });
});
