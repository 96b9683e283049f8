import { expect, test } from '@jest/globals';
import type { LexicalQuery } from '../../ports/lexical-index.ts';
import { createInMemoryLexicalIndex } from '../../testing/in-memory-lexical-index.ts';
import { createPairScorer } from './pairs.ts';
import { queryTerms, statisticsOf } from './score.ts';
import { lexicalEntry } from './terms.ts';

const scope = { tenant: 't', namespace: 'n' };

async function search(texts: readonly string[], query: string, options: Partial<LexicalQuery> = {}) {
  const lexical = createInMemoryLexicalIndex();
  for (const [at, text] of texts.entries()) {
    lexical.activate(scope, `d${at}`, 1, await lexical.prepare(scope, [lexicalEntry('', text)]));
  }
  const terms = queryTerms(query);
  const ranking = await lexical.rank(scope, { terms, limit: 10, ...options });
  return { best: ranking.hits, lexical, terms, statistics: statisticsOf(ranking, terms) };
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
  const { best, lexical, terms } = await search(['sea', 'sea sea', 'sun'], 'sea', { limit: 1 });
  expect(best).toHaveLength(1);
  const wanted = [2, 1, 0].map((at) => ({ documentId: `d${at}`, version: 1, index: 0 }));
  const scores = await lexical.score(scope, terms, [...wanted, { documentId: 'd0', version: 2, index: 0 }]);
  expect(scores).toEqual([0, best[0]?.score, expect.any(Number), 0]);
  expect(scores[2]).toBeGreaterThan(0);
});

test('only the documents that were named are among the best, and one query leaves nothing for the next', async () => {
  const found = await search(['sea', 'sea', 'sea'], 'sea', { documents: new Set(['d1']) });
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

test('pairs count as often as they occur, those of the title twice, and nothing is left of the text before', async () => {
  const { statistics } = await search(['green sea port', 'sea green', 'port'], 'green sea port');
  const weigh = (times: number, pairs: number) =>
    (times * 2.2) / (times + 1.2 * (0.25 + (0.75 * pairs) / statistics.averageLength));
  const ceiling = statistics.idfOfFrequency(0.5);
  const idfOf = (first: string, second: string) =>
    Math.min(ceiling, statistics.idfOfStem(first) + statistics.idfOfStem(second));
  const score = createPairScorer('the green sea, a port', statistics);
  for (let round = 0; round < 2; round += 1) {
    // Greens sea, sea of port: function words do not stand between.
    expect(score('Greens sea', 'the sea of ports and a green sea')).toBeCloseTo(
      0.2 * (idfOf('green', 'sea') * weigh(3, 5) + idfOf('sea', 'port') * weigh(1, 5)),
      6,
    );
    expect(score('', 'sea port')).toBeCloseTo(0.2 * idfOf('sea', 'port') * weigh(1, 1), 6);
  }
});

test.each([
  ['whose stem has another second letter', 'he was dying slowly', 'to die slowly'],
  ['whose stem is a letter', 'he oed twice', 'oed twice'],
  ['of letters beyond ASCII', 'ein größerer Turm', 'größerer Turm'],
  ['of which one is a single letter', 'the plan b works', 'plan b works'],
  ['at the end of a text', 'all of a green sea', 'green sea'],
])('pairs are found of words %s', async (_, text, query) => {
  const { statistics } = await search([text, 'sun'], query);
  expect(createPairScorer(query, statistics)('', text)).toBeGreaterThan(0);
});

test('a function word begins no pair, and a word that ends a text none either', async () => {
  const { statistics } = await search(['green sea', 'sun'], 'green sea');
  const score = createPairScorer('green sea', statistics);
  expect([score('', 'the sea of the green'), score('', 'green of the'), score('', '')]).toEqual([0, 0, 0]);
});

test('what a query must have is among its terms, also where it weighs nothing beside others', () => {
  const terms = queryTerms('"東" hotel', ['c東']);
  expect(terms.find(({ term }) => term === 'c東')).toEqual({ term: 'c東', weight: 0, common: false });
  expect(terms.find(({ term }) => term === 'shotel')?.weight).toBeGreaterThan(0);
});

test('of a word that was not asked for nothing is known', async () => {
  const { statistics } = await search(['sea', 'sun'], 'sea');
  expect(statistics.idfOfStem('sea')).toBeGreaterThan(0);
  expect(statistics.idfOfStem('sun')).toBe(0);
});
