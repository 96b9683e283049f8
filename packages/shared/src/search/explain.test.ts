import { expect, test } from '@jest/globals';
import { createMemory, searchFor } from '../testing/search-memory.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { search } from './search.ts';

const words = 'pines oaks elms tides harbour lantern granite velvet signal copper meadow archive'.split(' ');

async function randomMemory(seed: number) {
  const random = seededRandom(seed);
  const pick = () => words[Math.floor(random() * words.length)] as string;
  const memory = createMemory();
  for (let at = 0; at < 30; at += 1) {
    const sentence = () => `${Array.from({ length: 3 + random() * 9 }, pick).join(' ')}.`;
    const text = Array.from({ length: 1 + random() * 8 }, sentence).join('\n\n');
    const createdAt = new Date(Date.parse('2026-06-01T00:00:00Z') - random() * 1e10).toISOString();
    await memory.store({ documentId: `d${at}`, text, createdAt });
  }
  return { memory, random, pick };
}

test('the parts add up to the score, whatever was asked for', async () => {
  const { memory, random, pick } = await randomMemory(3);
  const seen = new Set<string>();
  for (let at = 0; at < 60; at += 1) {
    const request = searchFor({
      query: `${pick()} ${pick()} ${pick()}`,
      mode: (['hybrid', 'dense', 'lexical'] as const)[at % 3] ?? 'hybrid',
      topK: 12,
      explain: true,
      ...(random() < 0.5 ? { recency: { halfLifeDays: 1 + random() * 100 } } : {}),
      ...(random() < 0.5 ? { diversity: random() } : {}),
      ...(random() < 0.3 ? { neighbours: 1 } : {}),
    });
    const { hits } = await search(memory.deps, 'acme', request);
    hits.forEach((hit, index) => {
      const { parts = {}, rank } = hit.explain ?? {};
      expect(rank).toBe(index + 1);
      expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBeCloseTo(hit.score, 8);
      expect(hit.score).toBeLessThanOrEqual(hits[index - 1]?.score ?? Number.POSITIVE_INFINITY);
      for (const name of Object.keys(parts)) seen.add(name);
    });
  }
  expect([...seen].sort()).toEqual(['dense', 'diversity', 'lexical', 'recency']);
});

test('says where a hit stands on each side, and which words it has', async () => {
  const memory = createMemory();
  await memory.store({
    documentId: 'words',
    title: 'Codes',
    text: 'The code ERR_SSL_42 and pines, elms, limes, ashes.',
  });
  await memory.store({ documentId: 'meaning', title: 'Trees', text: 'Pine.' });
  const query = 'pines ERR_SSL_42';
  const { hits } = await search(memory.deps, 'acme', searchFor({ query, explain: true }));
  const [exact, near] = ['words', 'meaning'].map((id) => hits.find(({ documentId }) => documentId === id)?.explain);
  expect(exact).toMatchObject({ lexical: { rank: 1, score: expect.any(Number) }, dense: { rank: 1 } });
  expect(exact?.matched).toEqual({ terms: ['pines'], identifiers: ['ERR_SSL_42'] });
  expect(near).toMatchObject({ lexical: { rank: 2 }, dense: { rank: 2 }, matched: { terms: ['Pine'] } });
  const dense = await search(memory.deps, 'acme', searchFor({ query, mode: 'dense', explain: true }));
  expect(dense.hits[0]?.explain).not.toHaveProperty('lexical');
  memory.embedder.away = true;
  const lexical = await search(memory.deps, 'acme', searchFor({ query, explain: true }));
  expect(lexical.hits[0]?.explain).not.toHaveProperty('dense');
  const silent = await search(memory.deps, 'acme', searchFor({ query }));
  expect(silent.hits[0]).not.toHaveProperty('explain');
});
