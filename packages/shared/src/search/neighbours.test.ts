import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import type { SearchHit } from '../contracts/model/search.ts';
import { bagOfTerms, createMemory, searchFor } from '../testing/search-memory.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { search } from './search.ts';

type Memory = ReturnType<typeof createMemory>;

const textOf = (memory: Memory, hit: SearchHit) => memory.texts.get(`acme/${hit.documentId}@${hit.version}`) ?? '';

/** What holds for every hit, whatever was asked for. */
function checkPlaces(memory: Memory, hits: readonly SearchHit[]): void {
  for (const hit of hits) {
    const text = textOf(memory, hit);
    expect(text.slice(hit.span.start, hit.span.end)).toBe(hit.text);
    for (const { start, end } of hit.highlights) {
      expect(start).toBeGreaterThanOrEqual(hit.span.start);
      expect(end).toBeLessThanOrEqual(hit.span.end);
      expect(end).toBeGreaterThan(start);
    }
    const { chunks } = hit;
    if (!chunks) continue;
    expect(chunks.map(({ chunkId }) => chunkId)).toContain(hit.chunkId);
    expect(chunks[0]?.span.start).toBe(hit.span.start);
    expect(Math.max(...chunks.map(({ span }) => span.end))).toBe(hit.span.end);
  }
  for (const ofVersion of Map.groupBy(hits, (hit) => `${hit.documentId}@${hit.version}`).values()) {
    if (!ofVersion.every((hit) => hit.chunks)) continue;
    const inOrder = ofVersion.toSorted((a, b) => a.span.start - b.span.start);
    inOrder.slice(1).forEach((hit, at) => {
      expect(hit.span.start).toBeGreaterThan(inOrder[at]?.span.end ?? 0);
    });
  }
}

const paragraphs = (count: number) =>
  Array.from({ length: count }, (_, index) => `Paragraph number ${index} of this.`).join('\n\n');

test('a hit grows by its neighbours, and its place with it', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'One.\n\nTwo.\n\n\nPines.\n\nFour.\n\nFive.' });
  const find = (neighbours: number) => search(memory.deps, 'acme', searchFor({ query: 'pines', topK: 1, neighbours }));
  const plain = (await find(0)).hits[0];
  expect(plain).toMatchObject({ text: 'Pines.' });
  expect(plain).not.toHaveProperty('chunks');
  const answer = await find(1);
  expect(answer.degraded).toBeUndefined();
  expect(answer.hits[0]).toMatchObject({ text: 'Two.\n\n\nPines.\n\nFour.', chunkId: plain?.chunkId });
  expect(answer.hits[0]?.chunks).toHaveLength(3);
  const { hits } = await find(5);
  checkPlaces(memory, hits);
  expect(hits[0]?.text).toBe('One.\n\nTwo.\n\n\nPines.\n\nFour.\n\nFive.');
  checkPlaces(memory, answer.hits);
});

test('hits whose surroundings meet become one, in the place of the better', async () => {
  const memory = createMemory();
  const text = `Pines and oaks.\n\n${paragraphs(2)}\n\nPines.\n\n${paragraphs(9)}\n\nPines and elms and others.`;
  await memory.store({ documentId: 'a', text });
  const request = { query: 'pines', mode: 'dense' as const, topK: 3 };
  const find = async (neighbours: number) =>
    (await search(memory.deps, 'acme', searchFor({ ...request, neighbours }))).hits;
  const apart = await find(0);
  expect(apart.map((hit) => hit.text)).toEqual(['Pines.', 'Pines and oaks.', 'Pines and elms and others.']);
  const merged = await find(1);
  expect(merged.map((hit) => hit.chunks?.length)).toEqual([5, 2]);
  expect(merged.map((hit) => hit.chunkId)).toEqual([apart[0]?.chunkId, apart[2]?.chunkId]);
  expect(merged[0]?.text.startsWith('Pines and oaks.\n\nParagraph number 0 of this.')).toBe(true);
  checkPlaces(memory, merged);
});

test('costs no call of the index where nothing is asked for, and one where something is', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: `${paragraphs(150)}\n\nPines.\n\n${paragraphs(150)}` });
  const calls = async (neighbours: number) => {
    const before = memory.vectors.queries.length;
    await search(memory.deps, 'acme', searchFor({ query: 'pines', topK: 1, neighbours, mode: 'dense' }));
    return memory.vectors.queries.length - before;
  };
  expect([await calls(0), await calls(2)]).toEqual([1, 2]);
  expect(memory.vectors.queries.at(-1)?.chunkIds).toHaveLength(4);
});

test('neighbours come from the blob store where the index is away, or has lost them', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'One.\n\nPines.\n\nThree.' });
  const key = { tenant: 'acme', namespace: 'default', model: 'terms-1' };
  await memory.vectors.removeDocument(key, 'a', { fromIndex: 2 });
  const request = searchFor({ query: 'pines', topK: 1, neighbours: 1 });
  expect((await search(memory.deps, 'acme', request)).hits[0]?.text).toBe('One.\n\nPines.\n\nThree.');
  memory.vectors.onQuery = () => Promise.reject(new MemoryError('dependency_unavailable', 'away'));
  const answer = await search(memory.deps, 'acme', request);
  expect(answer.hits[0]?.text).toBe('One.\n\nPines.\n\nThree.');
  expect(answer.degraded).toEqual(['vector_index_unavailable']);
  memory.embedder.away = true;
  expect((await search(memory.deps, 'acme', request)).hits[0]?.text).toBe('One.\n\nPines.\n\nThree.');
});

test('a neighbour that no store has is said to be missing', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'One.\n\nPines.\n\nThree.' });
  const key = { tenant: 'acme', namespace: 'default', model: 'terms-1' };
  await memory.vectors.removeDocument(key, 'a', { fromIndex: 2 });
  for await (const blob of memory.deps.blobs.list('tenants/')) await memory.deps.blobs.remove(blob);
  const answer = await search(
    memory.deps,
    'acme',
    searchFor({ query: 'pines', mode: 'dense', topK: 1, neighbours: 1 }),
  );
  expect(answer.hits[0]?.text).toBe('One.\n\nPines.');
  expect(answer.degraded).toContain('neighbours_incomplete');
});

test('the text is always the document’s own at the span, in every mode and with any neighbours', async () => {
  const random = seededRandom(7);
  const words =
    'pines oaks elms tides harbour lantern granite velvet signal copper meadow archive bridge 東京は首都です 👩‍👩‍👧'.split(
      ' ',
    );
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
  const sentence = () => `${Array.from({ length: 4 + random() * 25 }, () => pick(words)).join(' ')}.`;
  const blanks = ['\n\n', '\n', '\r\n\r\n', ' ', '\n\n \t\n\n', '\n\n## Section\n\n', `\n${' '.repeat(80)}\n\n`];
  const memory = createMemory();
  for (let at = 0; at < 12; at += 1) {
    const text = Array.from({ length: 1 + random() * 120 }, () => sentence() + pick(blanks)).join('');
    await memory.store({ documentId: `d${at % 9}`, text: `${pick(blanks)}${text}`, cutBySize: true });
  }
  let grown = 0;
  for (let at = 0; at < 60; at += 1) {
    const request = searchFor({
      query: `${pick(words)} ${pick(words)}`,
      mode: pick(['hybrid', 'dense', 'lexical'] as const),
      topK: 1 + Math.floor(random() * 20),
      neighbours: Math.floor(random() * 6),
      ...(random() < 0.3 ? { perDocument: 2 } : {}),
    });
    const { hits, degraded } = await search(memory.deps, 'acme', request);
    expect(degraded).toBeUndefined();
    expect(hits.length).toBeGreaterThan(0);
    checkPlaces(memory, hits);
    grown += hits.filter((hit) => (hit.chunks?.length ?? 0) > 1).length;
  }
  expect(grown).toBeGreaterThan(100);
});

test('a hit of a version that was replaced grows by the neighbours that it had, from the blob store', async () => {
  const memory = createMemory();
  const scope = { tenant: 'acme', namespace: 'default' };
  await memory.store({ documentId: 'a', text: 'One.\n\nPines.\n\nThree.' });
  const before = '2026-05-15T00:00:00Z';
  await memory.store({ documentId: 'a', text: 'Pines.', createdAt: '2026-05-20T00:00:00.000Z' });
  // As the service keeps what was replaced.
  const key = { ...scope, model: 'terms-1' };
  const active = { from: Date.parse('2026-05-01T00:00:00Z'), to: Date.parse('2026-05-20T00:00:00Z') };
  const hits = await memory.vectors.query(key, { vector: bagOfTerms('pines'), limit: 9 });
  const old = hits
    .filter(({ version }) => version === 1)
    .map((hit) => ({ ...hit, vector: bagOfTerms(hit.text), active }));
  await memory.vectors.addMissing({ ...key, history: true }, old);
  await memory.vectors.removeDocument(key, 'a', 1);
  const request = searchFor({ query: 'pines', topK: 1, neighbours: 1, asOf: before });
  const answer = await search(memory.deps, 'acme', request);
  expect(answer.hits.map(({ text, version }) => [text, version])).toEqual([['One.\n\nPines.\n\nThree.', 1]]);
  expect(answer.degraded).toBeUndefined();
});

test('each chunk of a passage tells its page', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'One.\n\nPines.', page: 7 });
  const { hits } = await search(memory.deps, 'acme', searchFor({ query: 'pines', topK: 1, neighbours: 1 }));
  expect([hits[0]?.page, hits[0]?.chunks?.map(({ page }) => page)]).toEqual([7, [7, 7]]);
});
