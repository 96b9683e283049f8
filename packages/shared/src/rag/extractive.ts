import type { Citation } from '../contracts/model/answer.ts';
import type { SearchHit } from '../contracts/model/search.ts';
import type { Embedder } from '../ports/embedder.ts';
import { cosine } from '../search/cosine.ts';
import { termKeys } from '../search/terms.ts';
import { citationOf, distinctSentences, type SourceSentence } from './source-sentences.ts';

const maxPassages = 5;
/** Each costs a run of the embedding model. */
const maxEmbedded = 40;
const maxSentences = 3;
/** The share of the passage's own similarity in a sentence's score (docs: retrieval). */
const passageWeight = 0.1;
/** A question is most similar to itself and answers nothing. */
const questionPenalty = 0.1;
/** Two sentences that share more of their terms than this say the same. */
const sameShare = 0.8;

/** Headings, labels and crumbs of tables are no answer where there are sentences. */
function isSentence({ quote, text }: SourceSentence): boolean {
  return !/^#{1,6} /.test(quote) && text.length >= 8 && (termKeys(text).size >= 2 || text.length >= 30);
}

/** Those worth embedding: all of them where they are few, else those with most of the question's words. */
function preselect(hits: readonly SearchHit[], questionTerms: ReadonlySet<string>): SourceSentence[] {
  const all = distinctSentences(hits.slice(0, maxPassages)).filter((sentence) => sentence.text !== '');
  const whole = all.filter(isSentence);
  const sentences = whole.length > 0 ? whole : all;
  if (sentences.length <= maxEmbedded) return sentences;
  return sentences
    .map((sentence, order) => ({ sentence, order, shared: sharedTerms(termKeys(sentence.text), questionTerms) }))
    .sort((a, b) => b.shared - a.shared || a.order - b.order)
    .slice(0, maxEmbedded)
    .map(({ sentence }) => sentence);
}

function sharedTerms(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  let shared = 0;
  for (const key of one) if (other.has(key)) shared += 1;
  return shared;
}

function saysTheSame(one: SourceSentence, other: SourceSentence): boolean {
  const ownTerms = termKeys(one.text);
  const otherTerms = termKeys(other.text);
  return sharedTerms(ownTerms, otherTerms) > sameShare * Math.max(ownTerms.size, otherTerms.size);
}

/**
 * The sentences of the best passages that speak most to the question, best first, each with its citation. Every one is
 * a quote, so the answer is grounded by construction.
 *
 * @param query the embedder of the namespace, and the question's vector by it.
 * @throws MemoryError `dependency_unavailable` where the embedder went away since.
 */
export async function extractAnswer(
  query: { readonly embedder: Embedder; readonly vector: Float32Array },
  question: string,
  hits: readonly SearchHit[],
  signal?: AbortSignal,
): Promise<{ sentences: string[]; citations: Citation[] }> {
  const candidates = preselect(hits, termKeys(question));
  const vectors = await query.embedder.embedPassages(
    // As passages are embedded: a sentence that says "it" is about what the title names.
    candidates.map(({ hit, text }) => `${hit.title}\n${text}`),
    signal,
  );
  const ranked = candidates
    .map((sentence, order) => {
      const similarity = cosine(query.vector, vectors[order] as Float32Array);
      const penalty = /[?？]["”')\]]*$/.test(sentence.text) ? questionPenalty : 0;
      return { sentence, order, score: similarity + passageWeight * sentence.hit.similarity - penalty };
    })
    .sort((a, b) => b.score - a.score || a.order - b.order);
  const chosen: SourceSentence[] = [];
  for (const { sentence } of ranked) {
    if (chosen.length === maxSentences) break;
    if (!chosen.some((other) => saysTheSame(sentence, other))) chosen.push(sentence);
  }
  return {
    sentences: chosen.map((sentence, index) => `${sentence.text} [${index + 1}]`),
    citations: chosen.map((sentence, index) => citationOf(index + 1, sentence)),
  };
}
