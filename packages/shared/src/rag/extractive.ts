import type { Citation } from '../contracts/model/answer.ts';
import type { SearchHit } from '../contracts/model/search.ts';
import { termKeys } from '../search/terms.ts';
import { type Compared, rankSentences, type Signal } from './sentence-ranking.ts';
import { citationOf, type SourceSentence } from './source-sentences.ts';

const maxSentences = 3;
/**
 * A sentence so far below the best one mostly is about something near, and is left out. Found on one half of the questions
 * of squad2, and of xquad for words, as the least that loses at most 1 in 100 answers (docs/evaluation.md). Similarities are
 * in the units of whichever model.
 */
const mostBelow: Record<Signal, number> = { tokens: 0.1, words: 0.04, similarity: Number.POSITIVE_INFINITY };
/** Two sentences that share more of their terms than this say the same. */
const sameShare = 0.8;

/**
 * The sentences of the best passages that answer a question best, one to three, each with its citation. Every one is a quote,
 * so the answer is grounded by construction.
 *
 * @returns no sentences where nothing tells one from another; `support` as `rankSentences`
 * @throws MemoryError as `rankSentences`
 */
export async function extractAnswer(
  found: Compared,
  question: string,
  hits: readonly SearchHit[],
  signal?: AbortSignal,
): Promise<{ sentences: string[]; citations: Citation[]; support: number | undefined }> {
  const { sentences, signal: by, support } = await rankSentences(found, question, hits, signal);
  const least = (sentences[0]?.score ?? 0) - mostBelow[by];
  const chosen: SourceSentence[] = [];
  for (const { sentence, score } of sentences) {
    if (chosen.length === maxSentences || score < least) break;
    if (!chosen.some((other) => saysTheSame(sentence, other))) chosen.push(sentence);
  }
  return {
    sentences: chosen.map((sentence, index) => `${sentence.text} [${index + 1}]`),
    citations: chosen.map((sentence, index) => citationOf(index + 1, sentence)),
    support,
  };
}

function saysTheSame(one: SourceSentence, other: SourceSentence): boolean {
  const ownTerms = termKeys(one.text);
  const otherTerms = termKeys(other.text);
  let shared = 0;
  for (const key of ownTerms) if (otherTerms.has(key)) shared += 1;
  return shared > sameShare * Math.max(ownTerms.size, otherTerms.size);
}
