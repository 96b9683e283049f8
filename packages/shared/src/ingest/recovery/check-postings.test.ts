import { expect, test } from '@jest/globals';
import { createInMemoryFlow } from '../../testing/in-memory-flow.ts';
import { chunksKey } from '../stored/blob-keys.ts';
import { checkPostings } from './check-postings.ts';

const scope = { tenant: 'acme', namespace: 'default' };

test('versions that lost their postings get them back from their chunks, and only those', async () => {
  const flow = createInMemoryFlow();
  for (const documentId of ['a', 'b', 'c']) {
    await flow.ingest(`The harbour of ${documentId}.`, { documentId });
    await flow.drain();
  }
  const { lexical } = flow.deps;
  expect(await checkPostings(flow.deps, scope, { thorough: true })).toEqual({ missing: 0, restored: 0 });
  flow.lexical.deactivate(scope, 'b');
  expect(await lexical.count(scope)).toBe(2);
  expect(await checkPostings(flow.deps, scope, { thorough: false })).toEqual({ missing: 1, restored: 1 });
  expect(await lexical.versions(scope)).toEqual(
    new Map([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ]),
  );
  const { lists, lengths } = await lexical.read(scope, ['sharbour']);
  expect([...(lists[0] ?? [])].filter((posting) => lengths[posting >>> 5])).toHaveLength(3);
});

test('a version that has postings of the one before gets its own', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour.');
  await flow.drain();
  const former = await flow.deps.lexical.prepare(scope, [{ terms: new Map([['sharbour', 1]]), length: 1 }]);
  await flow.ingest('The lighthouse.');
  await flow.drain();
  flow.lexical.activate(scope, 'notes', 1, former);
  // The numbers agree: only a close look finds it.
  expect(await checkPostings(flow.deps, scope, { thorough: false })).toEqual({ missing: 0, restored: 0 });
  expect(await checkPostings(flow.deps, scope, { thorough: true })).toEqual({ missing: 1, restored: 1 });
  expect(await flow.deps.lexical.versions(scope)).toEqual(new Map([['notes', 2]]));
});

test('what a release before wrote by its own rules is written anew from the chunks', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('Write to jane@example.com.');
  await flow.drain();
  const old = {
    ...(await flow.deps.lexical.prepare(scope, [{ terms: new Map([['swrite', 1]]), length: 1 }])),
    rules: 1,
  };
  flow.lexical.activate(scope, 'notes', 1, old);
  const holders = async () => {
    const { lists, lengths } = await flow.deps.lexical.read(scope, ['ijane@example.com']);
    return [...(lists[0] ?? [])].filter((posting) => lengths[posting >>> 5]).length;
  };
  expect(await holders()).toBe(0);
  expect(await checkPostings(flow.deps, scope, { thorough: false })).toEqual({ missing: 1, restored: 1 });
  expect(await holders()).toBe(1);
  expect(await checkPostings(flow.deps, scope, { thorough: false })).toEqual({ missing: 0, restored: 0 });
});

test('a version whose chunks are gone is said to lack postings, and is looked for again', async () => {
  const flow = createInMemoryFlow();
  for (const documentId of ['a', 'b']) {
    await flow.ingest(`The harbour of ${documentId}.`, { documentId });
    await flow.drain();
    flow.lexical.deactivate(scope, documentId);
  }
  await flow.blobs.remove(chunksKey({ tenant: 'acme', documentId: 'b', version: 1 }));
  expect(await checkPostings(flow.deps, scope, { thorough: false })).toEqual({ missing: 2, restored: 1 });
  expect(await checkPostings(flow.deps, scope, { thorough: false })).toEqual({ missing: 1, restored: 0 });
});
