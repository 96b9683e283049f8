import { expect, test } from '@jest/globals';
import { createInMemoryFlow } from '../../testing/in-memory-flow.ts';
import { compactPostings } from './compact-postings.ts';

test('the lists of every namespace lose what belongs to versions that are gone', async () => {
  const flow = createInMemoryFlow();
  for (const namespace of ['default', 'other']) {
    for (const text of ['The harbour.', 'The lighthouse.']) {
      await flow.ingest(text, { namespace, documentId: namespace });
      await flow.drain();
    }
  }
  const lists = async (namespace: string) =>
    (await flow.deps.lexical.read({ tenant: 'acme', namespace }, ['sharbour', 'slighthous'])).lists.map(
      (one) => one.length,
    );
  expect(await lists('other')).toEqual([1, 1]);
  const { dropped, done } = await compactPostings(flow.deps);
  expect([dropped > 0, done]).toEqual([true, true]);
  for (const namespace of ['default', 'other']) expect(await lists(namespace)).toEqual([0, 1]);
});

test('where there is nothing to compact nothing is said of it', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour.');
  await flow.drain();
  const said: string[] = [];
  const logger = { ...flow.deps.logger, info: (message: string) => void said.push(message) };
  expect(await compactPostings({ ...flow.deps, logger })).toEqual({ lists: 0, dropped: 0, done: true });
  expect(said).toEqual([]);
});
