import { expect, test } from '@jest/globals';
import type { Citation } from '../contracts/model/answer.ts';
import type { SearchHit } from '../contracts/model/search.ts';
import type { SentenceScorer } from '../search/late-interaction/sentence-scores.ts';
import { createQueryWords } from '../search/query-words.ts';
import { bagOfTerms, createTermEmbedder } from '../testing/search-memory.ts';
import { extractAnswer } from './extractive.ts';

function passage(documentId: string, text: string, similarity = 0.8): SearchHit {
  return {
    ...{ chunkId: `${documentId}#0`, documentId, version: 1, title: documentId, text, score: 1, similarity },
    ...{ headings: [], span: { start: 100, end: 100 + text.length }, highlights: [], metadata: {} },
  };
}

const refunds = passage('refunds', 'Refunds are paid by post. Money comes back in 14 days. When are refunds paid?');
const hours = passage('hours', 'The shop opens at 9. It closes at 18.');
const question = 'When are refunds paid?';

/** Scores sentences by what they contain; others are not known. */
const scorer =
  (scores: Readonly<Record<string, number>>): SentenceScorer =>
  async (asked) =>
    asked.map(({ chunkId, spans }) => {
      const { text } = [refunds, hours].find((hit) => hit.chunkId === chunkId) as SearchHit;
      const sentences = spans.map(({ start, end }) => {
        const sentence = text.slice(start - 100, end - 100);
        return Object.entries(scores).find(([words]) => sentence.includes(words))?.[1];
      });
      return { passage: chunkId === 'refunds#0' ? 0.9 : 0.5, sentences };
    });

function found(scoreSentences?: SentenceScorer, asked = question) {
  const embedder = createTermEmbedder('terms-1');
  const embedded: string[] = [];
  const embedPassages = (texts: readonly string[]) => {
    embedded.push(...texts);
    return embedder.embedPassages(texts);
  };
  const query = { embedder: { ...embedder, embedPassages }, vector: bagOfTerms(asked) };
  return { embedded, compared: { query, words: createQueryWords(asked), scoreSentences } };
}

const quotesOf = (citations: readonly Citation[]) => citations.map(({ quote }) => quote);

test('the sentence whose tokens answer comes first, and the model is not run', async () => {
  const scores = { 'Money comes': 0.8, 'by post': 0.7, 'opens at 9': 0.4, 'It closes': 0.3, 'When are': 0.85 };
  const { embedded, compared } = found(scorer(scores));
  const { sentences, citations, support } = await extractAnswer(compared, question, [refunds, hours]);
  expect(sentences.slice(0, 2)).toEqual(['Money comes back in 14 days. [1]', 'Refunds are paid by post. [2]']);
  expect(citations[0]).toMatchObject({ quote: 'Money comes back in 14 days.', span: { start: 126, end: 154 } });
  expect(support).toBe(0.9);
  expect(embedded).toEqual([]);
});

test('a question is no answer, the sentence after it is one', async () => {
  const faq = passage('faq', 'Some ask. When are refunds paid? Within two weeks. How? By post.');
  const scoreSentences: SentenceScorer = async () => [{ passage: 0.9, sentences: [0.78, 0.8, 0.2, 0.85, 0.79] }];
  const { sentences } = await extractAnswer(found(scoreSentences).compared, question, [faq]);
  expect(sentences).toEqual(['Within two weeks. [1]', 'By post. [2]', 'Some ask. [3]']);
});

test('a sentence that is far below the best is left out, whichever way sentences are compared', async () => {
  const scores = { 'Money comes': 0.8, 'by post': 0.72, 'opens at 9': 0.6, 'It closes': 0.55, 'When are': 0.5 };
  const byTokens = await extractAnswer(found(scorer(scores)).compared, question, [refunds, hours]);
  expect(quotesOf(byTokens.citations)).toEqual(['Money comes back in 14 days.', 'Refunds are paid by post.']);
  const asked = '¿Refunds, post, 14 days?';
  const byWords = await extractAnswer(found(undefined, asked).compared, asked, [refunds, hours]);
  expect(quotesOf(byWords.citations)).toEqual(['Refunds are paid by post.', 'Money comes back in 14 days.']);
  const one = '¿Refunds paid?';
  const single = await extractAnswer(found(undefined, one).compared, one, [refunds, hours]);
  expect(quotesOf(single.citations)).toEqual(['Refunds are paid by post.']);
});

test('of sentences that score alike the one of the better passage comes first', async () => {
  const asked = 'At what hour?';
  const bank = passage('bank', 'The bank opens at 8.');
  const alike: SentenceScorer = async (passages) =>
    passages.map(({ spans }) => ({ passage: 0.9, sentences: spans.map(() => 0.7) }));
  const { citations } = await extractAnswer(found(alike, asked).compared, asked, [bank, hours]);
  expect(quotesOf(citations)).toEqual(['The bank opens at 8.', 'The shop opens at 9.', 'It closes at 18.']);
});

test('where the question is when, a sentence with a time comes before one without', async () => {
  const alike = scorer({ Refunds: 0.7, Money: 0.7, '': 0.1 });
  const asked = 'When does it come?';
  const { citations } = await extractAnswer(found(alike, asked).compared, asked, [refunds, hours]);
  expect(citations[0]?.quote).toBe('Money comes back in 14 days.');
});

test('a sentence without vectors of tokens is left out where most have them', async () => {
  const { compared } = found(scorer({ Money: 0.8, 'When are': 0.5, 'opens at 9': 0.4 }));
  const { citations, support } = await extractAnswer(compared, question, [refunds, hours]);
  expect(quotesOf(citations)).not.toContain('Refunds are paid by post.');
  expect(support).toBe(0.9);
});

test.each([
  ['where few have them', question, scorer({ Money: 0.9 })],
  ['where the question is in a language that the model does not know', '¿Cómo se pagan refunds?', scorer({ '': 0.9 })],
  ['without any', question, undefined],
])('%s, sentences are chosen by their words, without the model', async (_case, asked, scoreSentences) => {
  const { embedded, compared } = found(scoreSentences, asked);
  const { citations, support } = await extractAnswer(compared, asked, [refunds, hours]);
  expect(citations[0]?.quote).toBe('Refunds are paid by post.');
  expect(support).toBeUndefined();
  expect(embedded).toEqual([]);
});

test('where no sentence has a word of the question they are chosen by similarity', async () => {
  const near = { ...found().compared, words: createQueryWords('cuándo') };
  const { citations } = await extractAnswer(near, 'cuándo', [refunds, hours]);
  expect(citations[0]?.quote).toBe('Refunds are paid by post.');
});

test('where nothing tells sentences apart there is no answer', async () => {
  const nothing = { words: createQueryWords('cuándo') };
  expect(await extractAnswer(nothing, 'cuándo', [refunds, hours])).toMatchObject({ sentences: [], citations: [] });
});

test('passages that overlap give each sentence once, with the page that it is on', async () => {
  const first = { ...passage('a', 'Refunds are paid by post. Money comes back in 14 days.'), page: 3 };
  const second = { ...first, chunkId: 'a#1', text: 'Money comes back in 14 days. Refunds are final.', page: 4 };
  const start = first.span.start + first.text.indexOf('Money');
  const overlapping = { ...second, span: { start, end: start + second.text.length } };
  const asked = 'refunds money days';
  const { citations } = await extractAnswer(found(undefined, asked).compared, asked, [first, overlapping]);
  expect(citations.filter(({ quote }) => quote.startsWith('Money'))).toMatchObject([{ chunkId: 'a#0', page: 3 }]);
});

test('of many passages the first five are quoted, and the support is of all', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const passages = names.map((name) => passage(name, `Refunds are paid by ${name.repeat(9)}.`));
  const asked: number[] = [];
  const scoreSentences: SentenceScorer = async (places) =>
    places.map(({ spans }, at) => {
      asked.push(spans.length);
      return { passage: at === 5 ? 0.95 : at === 1 ? undefined : 0.5, sentences: spans.map(() => 0.7 - at / 100) };
    });
  const { citations, support } = await extractAnswer(found(scoreSentences).compared, question, passages);
  expect(asked).toEqual([1, 1, 1, 1, 1, 0]);
  expect(support).toBe(0.95);
  expect(citations[0]?.documentId).toBe('a');
});

test('where there are only questions they are the answer, the best one first', async () => {
  const faq = passage('faq', 'When are refunds paid? When are shoes returned?');
  const asked = 'refunds';
  const { citations } = await extractAnswer(found(undefined, asked).compared, asked, [faq]);
  expect(quotesOf(citations)).toEqual(['When are refunds paid?', 'When are shoes returned?']);
});
