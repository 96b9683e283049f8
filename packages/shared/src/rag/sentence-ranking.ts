import type { SearchHit } from '../contracts/model/search.ts';
import { cosine } from '../search/cosine.ts';
import type { EmbeddedQuery } from '../search/find.ts';
import { isInModelsLanguage } from '../search/query-language.ts';
import type { QueryWords } from '../search/query-words.ts';
import type { Retrieval } from '../search/retrieve.ts';
import { answerSentences, isAnswer, isQuestion } from './answer-sentences.ts';
import type { SourceSentence } from './source-sentences.ts';

const maxPassages = 5;
/** Each costs a run of the embedding model, where neither tokens nor words tell anything. */
const maxEmbedded = 40;

/*
 * What is added to a sentence's MaxSim, as it was found best on one half of 1,000 questions (docs/evaluation.md). Without
 * MaxSim they order the sentences alone.
 */
/** For a sentence with all the words of the question that any has; less where it has fewer. */
const wordWeight = 0.1;
/** Less for each place of its passage. */
const placePenalty = 0.01;
/** Less where the question is when, and the sentence has no time. */
const timelessPenalty = 0.03;
/** So much less than a question in a document counts the sentence after it, which answers it. */
const afterQuestion = 0.03;

/** By what sentences were compared, besides place and time: scores of unlike signals are in unlike units. */
export type Signal = 'tokens' | 'similarity' | 'words';

export interface RankedSentence {
  readonly sentence: SourceSentence;
  readonly score: number;
  /** Its place in reading order. */
  readonly order: number;
}

/** What was retrieved, as far as sentences are chosen by it. */
export type Compared = Pick<Retrieval, 'query' | 'words' | 'scoreSentences'>;

/**
 * The sentences of the best passages that may answer a question, best first. By late interaction (MaxSim over a sentence's
 * tokens in the context of its passage) where the question is in the model's language and the passages have vectors of
 * tokens, else by the question's words alone: by those an answer is found more often than by the cosine of each sentence,
 * in any language and without running the model, which is left for a question that shares no word with them.
 *
 * @returns none where nothing tells one from another; `support` is the highest MaxSim of a passage, where it is known;
 * `signal` is what the scores are made of
 * @throws MemoryError `dependency_unavailable` where the embedder is needed and went away since.
 */
export async function rankSentences(
  found: Compared,
  question: string,
  hits: readonly SearchHit[],
  abort?: AbortSignal,
): Promise<{ sentences: RankedSentence[]; signal: Signal; support: number | undefined }> {
  const candidates = answerSentences(hits.slice(0, maxPassages));
  const tokens = await byTokens(found, question, hits, candidates);
  const shares = wordShares(found.words, candidates);
  const support = tokens?.support;
  const closeness = tokens?.closeness ?? (shares ? undefined : await bySimilarity(found.query, candidates, abort));
  const signal = tokens ? 'tokens' : closeness ? 'similarity' : 'words';
  if (!closeness && !shares) return { sentences: [], signal, support };
  const places = new Map(hits.map((hit, place) => [hit, place]));
  const asksWhen = isAboutTime(question);
  const scores = new Map<SourceSentence, number>();
  for (const sentence of candidates) {
    const close = closeness ? closeness.get(sentence) : 0;
    if (close === undefined) continue;
    const timeless = asksWhen && !hasTime(sentence.text) ? timelessPenalty : 0;
    const prior = wordWeight * (shares?.get(sentence) ?? 0) - placePenalty * (places.get(sentence.hit) as number);
    scores.set(sentence, close + prior - timeless);
  }
  const sentences = answersAmong(candidates, scores).sort((a, b) => b.score - a.score || a.order - b.order);
  return { sentences, signal, support };
}

/** Undefined where tokens say nothing: too few sentences have their vectors, or the model does not know the language. */
async function byTokens(
  { scoreSentences }: Compared,
  question: string,
  hits: readonly SearchHit[],
  candidates: readonly SourceSentence[],
): Promise<{ closeness: ReadonlyMap<SourceSentence, number>; support: number } | undefined> {
  if (!scoreSentences || !isInModelsLanguage(question)) return undefined;
  const byHit = Map.groupBy(candidates, ({ hit }) => hit);
  const asked = hits.map((hit) => ({ hit, sentences: byHit.get(hit) ?? [] }));
  const scores = await scoreSentences(
    asked.map(({ hit, sentences }) => ({ chunkId: hit.chunkId, spans: sentences.map(({ span }) => span) })),
  );
  const closeness = new Map<SourceSentence, number>();
  asked.forEach(({ sentences }, passage) => {
    sentences.forEach((sentence, at) => {
      const score = scores[passage]?.sentences[at];
      if (score !== undefined) closeness.set(sentence, score);
    });
  });
  const support = Math.max(...scores.map(({ passage }) => passage ?? Number.NEGATIVE_INFINITY));
  // Of fewer it would say more about which passages could be read than about which sentences are good.
  return closeness.size * 2 > candidates.length ? { closeness, support } : undefined;
}

/** Of the question's words that any sentence has, by their weights, the share that each has; undefined where none has any. */
function wordShares(
  words: QueryWords,
  sentences: readonly SourceSentence[],
): ReadonlyMap<SourceSentence, number> | undefined {
  const matched = sentences.map(({ text }) => new Set(words.matchesIn(text).map(({ word }) => word)));
  const weightOf = (found: ReadonlySet<string>) => [...found].reduce((sum, word) => sum + words.weightOf(word), 0);
  const all = weightOf(new Set(matched.flatMap((found) => [...found])));
  if (all === 0) return undefined;
  return new Map(sentences.map((sentence, at) => [sentence, weightOf(matched[at] as Set<string>) / all]));
}

async function bySimilarity(
  query: EmbeddedQuery | undefined,
  candidates: readonly SourceSentence[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<SourceSentence, number> | undefined> {
  if (!query || candidates.length === 0) return undefined;
  const chosen = candidates.slice(0, maxEmbedded);
  const vectors = await query.embedder.embedPassages(
    // As passages are embedded: a sentence that says "it" is about what the title names.
    chosen.map(({ hit, text }) => `${hit.title}\n${text}`),
    signal,
  );
  return new Map(chosen.map((sentence, at) => [sentence, cosine(query.vector, vectors[at] as Float32Array)]));
}

/** What is no question, unless all are. The sentence after a question counts at least nearly as much as that one. */
function answersAmong(
  candidates: readonly SourceSentence[],
  scores: ReadonlyMap<SourceSentence, number>,
): RankedSentence[] {
  const scored = candidates.flatMap((sentence, order) => {
    const own = scores.get(sentence);
    if (own === undefined) return [];
    const before = candidates[order - 1];
    const asked = isAnswer(sentence, before) ? scores.get(before) : undefined;
    return [{ sentence, order, score: asked === undefined ? own : Math.max(own, asked - afterQuestion) }];
  });
  const answers = scored.filter(({ sentence }) => !isQuestion(sentence));
  return answers.length > 0 ? answers : scored;
}

/** In English; in other languages there is no telling by this. */
const isAboutTime = (question: string) =>
  /\bwhen\b|\b(?:what|which) (?:year|date|day|month|century|decade)\b/i.test(question);

const hasTime = (text: string) =>
  /\p{N}|\b(?:january|february|march|april|may|june|july|august|september|october|november|december|century|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b/iu.test(
    text,
  );
