import type { Citation } from '../contracts/model/answer.ts';
import type { SearchHit } from '../contracts/model/search.ts';
import { termKeys } from '../search/terms.ts';
import { type Compared, rankSentences } from './sentence-ranking.ts';
import { citationOf, type SourceSentence } from './source-sentences.ts';

const maxSentences = 3;
/** Two sentences that share more of their terms than this say the same. */
const sameShare = 0.8;

/**
 * The sentences of the best passages that answer a question best, each with its citation. Every one is a quote, so the
 * answer is grounded by construction.
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
  const { sentences, support } = await rankSentences(found, question, hits, signal);
  const chosen: SourceSentence[] = [];
  for (const sentence of sentences) {
    if (chosen.length === maxSentences) break;
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
