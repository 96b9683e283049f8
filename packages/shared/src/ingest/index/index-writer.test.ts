import { expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import type { CollectionKey, VectorIndex, VectorRecord } from '../../ports/vector-index.ts';
import { createIndexWriter } from './index-writer.ts';

const key: CollectionKey = { tenant: 't', namespace: 'n', model: 'm' };
const record = (chunkId: string): VectorRecord => ({
  chunkId,
  vector: new Float32Array([1, 0]),
  text: chunkId,
  documentId: 'd',
  version: 1,
  index: 0,
  headings: [],
  start: 0,
  end: 1,
});

/** Counts groups, and can forget or refuse what it is given. */
function recordingIndex(behaviour: { forget?: string; fail?: Error } = {}) {
  const groups: string[][] = [];
  let writing = 0;
  let mostAtOnce = 0;
  const stored = new Set<string>();
  const index: Pick<VectorIndex, 'addMissing' | 'present'> = {
    async addMissing(_key, records) {
      writing += 1;
      mostAtOnce = Math.max(mostAtOnce, writing);
      groups.push(records.map(({ chunkId }) => chunkId));
      await new Promise((resolve) => setImmediate(resolve));
      writing -= 1;
      if (behaviour.fail) throw behaviour.fail;
      for (const { chunkId } of records) if (chunkId !== behaviour.forget) stored.add(chunkId);
    },
    present: async (_key, ids) => new Set(ids.filter((id) => stored.has(id))),
  };
  return { index: index as VectorIndex, groups, stored, mostAtOnce: () => mostAtOnce };
}

test('documents that come together are written together', async () => {
  const { index, groups, stored } = recordingIndex();
  const writer = createIndexWriter(index, { minWaitMs: 5, maxWaitMs: 5 });
  await Promise.all(['a', 'b', 'c'].map((id) => writer.write(key, [record(id)])));
  expect(groups).toEqual([['a', 'b', 'c']]);
  expect(stored).toEqual(new Set(['a', 'b', 'c']));
});

test('a full group is written at once, and never two at the same time', async () => {
  const { index, groups, mostAtOnce } = recordingIndex();
  const writer = createIndexWriter(index, { maxRecords: 2, minWaitMs: 60_000, maxWaitMs: 60_000 });
  await Promise.all(['a', 'b', 'c', 'd'].map((id) => writer.write(key, [record(id)])));
  expect(groups.flat()).toEqual(['a', 'b', 'c', 'd']);
  expect(mostAtOnce()).toBe(1);
});

test('what comes while a group is written goes with the next', async () => {
  const { index, groups } = recordingIndex();
  const writer = createIndexWriter(index, { minWaitMs: 5, maxWaitMs: 5 });
  const first = writer.write(key, [record('a')]);
  while (groups.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await Promise.all([first, writer.write(key, [record('b')])]);
  expect(groups).toEqual([['a'], ['b']]);
});

test('an index that lost a chunk fails the document it belongs to, and no other', async () => {
  const { index } = recordingIndex({ forget: 'b' });
  const writer = createIndexWriter(index, { minWaitMs: 5, maxWaitMs: 5 });
  const results = await Promise.allSettled(['a', 'b'].map((id) => writer.write(key, [record(id)])));
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected']);
});

test('a fault of the index reaches every document of the group, and the next group is tried', async () => {
  const failing = recordingIndex({ fail: new MemoryError('dependency_unavailable', 'away') });
  const writer = createIndexWriter(failing.index, { minWaitMs: 5, maxWaitMs: 5 });
  const results = await Promise.allSettled(['a', 'b'].map((id) => writer.write(key, [record(id)])));
  expect(results.every((result) => result.status === 'rejected')).toBe(true);
  await expect(writer.write(key, [record('c')])).rejects.toThrow('away');
  expect(failing.groups).toEqual([['a', 'b'], ['c']]);
});

test('many documents gather for longer than a lone one does', async () => {
  const { index, groups } = recordingIndex();
  const writer = createIndexWriter(index, { minWaitMs: 10, maxWaitMs: 200 });
  const writes: Promise<void>[] = [];
  for (let document = 0; document < 60; document += 1) {
    writes.push(writer.write(key, [record(`d${document}`)]));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(writes);
  expect(groups.flat().length).toBe(60);
  expect(Math.max(...groups.map((group) => group.length))).toBeGreaterThan(15);
});

test('who sends one document after the other does not wait for company that never comes', async () => {
  const { index, groups } = recordingIndex();
  const writer = createIndexWriter(index, { minWaitMs: 1, maxWaitMs: 60_000, wantedEntries: 1_000_000 });
  for (const id of ['a', 'b', 'c', 'd']) await writer.write(key, [record(id)]);
  expect(groups).toEqual([['a'], ['b'], ['c'], ['d']]);
});

test('records that the index refuses fail with their own document, and the others of the group are written', async () => {
  const { index, stored } = recordingIndex();
  const { addMissing } = index;
  index.addMissing = async (of, records) => {
    if (records.some(({ chunkId }) => chunkId === 'bad')) throw new MemoryError('internal', 'A vector of no length.');
    return addMissing(of, records);
  };
  const writer = createIndexWriter(index, { minWaitMs: 5, maxWaitMs: 5 });
  const written = ['a', 'bad', 'c'].map((id) => writer.write(key, [record(id)]));
  await expect(written[1]).rejects.toThrow('A vector of no length.');
  await Promise.all([written[0], written[2]]);
  expect(stored).toEqual(new Set(['a', 'c']));
});

test('without settings a lone document is written within a moment', async () => {
  const { index, stored } = recordingIndex();
  await createIndexWriter(index).write(key, [record('a')]);
  expect(stored).toEqual(new Set(['a']));
});
