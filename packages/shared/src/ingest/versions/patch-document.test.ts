import { expect, test } from '@jest/globals';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { checkPostings } from '../recovery/check-postings.ts';
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

test('of two titles at the same time the postings have the one that stands', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.');
  await flow.drain();
  await Promise.all(['Alpha', 'Beta', 'Gamma'].map((title) => patchDocument(flow.deps, 'acme', 'notes', { title })));
  const title = (await flow.ledger.getDocument('acme', 'notes'))?.title ?? '';
  const found = await Promise.all(['alpha', 'beta', 'gamma'].map((stem) => holders(flow, stem)));
  expect(found).toEqual(['Alpha', 'Beta', 'Gamma'].map((other) => (other === title ? 1 : 0)));
});

test('a title before anything is active changes no postings, and metadata never do', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.');
  await patchDocument(flow.deps, 'acme', 'notes', { title: 'Zeppelin times' });
  expect(await flow.lexical.count(scope)).toBe(0);
  await flow.drain();
  const before = (await flow.lexical.read(scope, [])).rangeOf('notes')?.base;
  await patchDocument(flow.deps, 'acme', 'notes', { metadata: { a: 1 } });
  expect((await flow.lexical.read(scope, [])).rangeOf('notes')?.base).toBe(before);
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
