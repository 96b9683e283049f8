import { expect, test } from '@jest/globals';
import { createInMemoryLexicalIndex } from '../../testing/in-memory-lexical-index.ts';
import { createPairScorer } from './pairs.ts';
import { queryTerms, scoreLexically, statisticsOf } from './score.ts';
import { lexicalEntry } from './terms.ts';

const scope = { tenant: 't', namespace: 'n' };
const all = { limit: 10, accepts: () => true };

async function search(
  texts: readonly string[],
  query: string,
  options: Partial<Parameters<typeof scoreLexically>[2]> = {},
) {
  const lexical = createInMemoryLexicalIndex();
  for (const [at, text] of texts.entries()) {
    lexical.activate(scope, `d${at}`, 1, await lexical.prepare(scope, [lexicalEntry('', text)]));
  }
  const terms = queryTerms(query);
  const postings = await lexical.read(
    scope,
    terms.map(({ term }) => term),
  );
  return { ...scoreLexically(postings, terms, { ...all, ...options }), statistics: statisticsOf(postings, terms) };
}

test('a score is half the stems’ BM25 and half the prefixes’, as the formula says', async () => {
  const { best } = await search(['sea ship', 'sea sea sea', 'sun'], 'sea');
  // N = 3, df = 2, average length 2, k1 = 1.2, b = 0.75; stem and prefix are the same lists here.
  const idf = Math.log(1 + 1.5 / 2.5);
  const weigh = (tf: number, length: number) => (tf * 2.2) / (tf + 1.2 * (0.25 + (0.75 * length) / 2));
  expect(best.map(({ documentId }) => documentId)).toEqual(['d1', 'd0']);
  expect(best[0]?.score).toBeCloseTo(idf * weigh(3, 3), 5);
  expect(best[1]?.score).toBeCloseTo(idf * weigh(1, 2), 5);
});

test('rare words count more than common ones, and what matches nothing is not found', async () => {
  const { best } = await search(['the sea', 'the ship', 'the sun', 'sand'], 'the sun');
  expect(best.map(({ documentId }) => documentId)).toEqual(['d2', 'd0', 'd1']);
});

test('scores of chunks that were not among the best are told on request', async () => {
  const texts = ['sea', 'sea sea', 'sun'];
  const also = texts.map((_, at) => ({ documentId: `d${at}`, version: 1, index: 0 }));
  const found = await search(texts, 'sea', { limit: 1, also: [...also, { documentId: 'd0', version: 2, index: 0 }] });
  expect(found.best).toHaveLength(1);
  expect(found.also[0]).toBeGreaterThan(0);
  expect(found.also.slice(2)).toEqual([0, 0]);
});

test('only accepted documents are among the best, and one query leaves nothing for the next', async () => {
  const found = await search(['sea', 'sea', 'sea'], 'sea', { accepts: (documentId) => documentId === 'd1' });
  expect(found.best.map(({ documentId }) => documentId)).toEqual(['d1']);
  expect((await search(['sea', 'sun'], 'sun')).best).toHaveLength(1);
});

test('of very many the best are found', async () => {
  const texts = Array.from({ length: 1000 }, (_, at) => `sea ${'sand '.repeat((at * 7) % 50)}`);
  const { best } = await search(texts, 'sea', { limit: 20 });
  expect(best).toHaveLength(20);
  expect(best.every(({ documentId }) => (Number(documentId.slice(1)) * 7) % 50 === 0)).toBe(true);
});

test('words that follow each other in query and text lift it', async () => {
  const { statistics } = await search(['green sea port', 'sea green'], 'green sea');
  const score = createPairScorer('green sea', statistics);
  expect(score('', 'a green sea port')).toBeGreaterThan(0);
  expect(score('', 'a sea that is green')).toBe(0);
  expect(score('Green sea', '')).toBeGreaterThan(score('', 'green sea and much more about something else'));
  expect(createPairScorer('sea', statistics)('', 'sea')).toBe(0);
});
