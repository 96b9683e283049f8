import { expect, test } from '@jest/globals';
import { createInMemoryFlow } from '../../testing/in-memory-flow.ts';
import { readChunkSet } from '../stored/artifacts.ts';
import { sampleQueries } from './sample-queries.ts';

const scope = { tenant: 'acme', namespace: 'default' };

test('each query is a sentence of the passage that it should lead to, each passage comes once, and a seed repeats itself', async () => {
  const flow = createInMemoryFlow();
  const part = (at: number) => `# Part ${at}\n\n${`This sentence ${at} is about the sea and the wind. `.repeat(30)}`;
  await flow.ingest(Array.from({ length: 12 }, (_, at) => part(at)).join('\n\n'), { documentId: 'long' });
  for (const id of ['a', 'b', 'c']) await flow.ingest(`The short text ${id} has one sentence.`, { documentId: id });
  await flow.ingest('Too short.', { documentId: 'tiny' });
  await flow.drain();
  const { rows } = await flow.ledger.documentChanges(scope, undefined);
  const texts = new Map<string, string>();
  for (const { documentId, activeVersion: version } of rows)
    for (const { chunkId, text } of (await readChunkSet(flow.blobs, { tenant: 'acme', documentId, version }))?.chunks ??
      [])
      texts.set(chunkId, text);
  const all = await sampleQueries(flow.blobs, 'acme', rows, { seed: 'one', most: 1000 });
  expect(all).toHaveLength(texts.size - 1);
  const few = await sampleQueries(flow.blobs, 'acme', rows, { seed: 'one', most: 5 });
  for (const sampled of [all, few]) {
    expect(new Set(sampled.map(({ chunkId }) => chunkId)).size).toBe(sampled.length);
    for (const { query, chunkId } of sampled) expect(texts.get(chunkId)?.split(/\s+/).join(' ')).toContain(query);
  }
  expect(few.length).toBeGreaterThanOrEqual(4);
  expect(await sampleQueries(flow.blobs, 'acme', rows, { seed: 'one', most: 5 })).toEqual(few);
  expect(await sampleQueries(flow.blobs, 'acme', rows, { seed: 'two', most: 5 })).not.toEqual(few);
});
