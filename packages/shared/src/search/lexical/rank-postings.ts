import { setImmediate as otherWork } from 'node:timers/promises';
import type { ChunkAddress, LexicalQuery, LexicalRanking, LexicalTerm, Postings } from '../../ports/lexical-index.ts';
import { type ScoringResult, type ScoringTask, scorePostings } from './score-postings.ts';

/** Documents that are looked up in one go: about a millisecond. */
const documentsAtOnce = 4000;

/**
 * Where the chunks of some documents lie: from, to, from, to, … ascending, neighbours as one. Documents that are not
 * active have none. Makes way for other work, so nobody may change the postings meanwhile.
 */
export async function rangesOf(
  { rangeOf }: Pick<Postings, 'rangeOf'>,
  documents: ReadonlySet<string>,
): Promise<Uint32Array> {
  const found: { base: number; end: number }[] = [];
  let looked = 0;
  for (const documentId of documents) {
    looked += 1;
    if (looked % documentsAtOnce === 0) await otherWork();
    const range = rangeOf(documentId);
    if (range) found.push({ base: range.base, end: range.base + range.count });
  }
  found.sort((a, b) => a.base - b.base);
  const merged: number[] = [];
  for (const { base, end } of found) {
    if (merged.at(-1) === base) merged[merged.length - 1] = end;
    else merged.push(base, end);
  }
  return Uint32Array.from(merged);
}

type Numbers = Pick<ScoringTask, 'lists' | 'lengths' | 'count' | 'totalLength'>;

/** What `scorePostings` needs to find the best. */
export function rankingTask(
  { lists, lengths, count, totalLength }: Numbers,
  query: LexicalQuery,
  ranges: Uint32Array | undefined,
  frequencies: ScoringTask['frequencies'] = [],
): ScoringTask {
  const places = new Map(query.terms.map(({ term }, at) => [term, at]));
  const required = query.required?.map((term) => places.get(term) ?? -1);
  const select = { kind: 'best', limit: query.limit, ranges, required } as const;
  return { lists, lengths, count, totalLength, terms: query.terms, frequencies, select };
}

export function rankingOf(
  postings: Pick<Postings, 'count' | 'totalLength' | 'whole' | 'addressOf'>,
  { frequencies, ordinals, scores }: ScoringResult,
): LexicalRanking {
  const hits = ordinals.flatMap((ordinal, at) => {
    const address = postings.addressOf(ordinal);
    return address ? [{ ...address, score: scores[at] as number }] : [];
  });
  const { count, totalLength, whole } = postings;
  return { hits, frequencies, count, totalLength, whole };
}

/** What `scorePostings` needs to score some chunks, and how its answer is read. */
export function pointTask(
  { lists, lengths, count, totalLength, rangeOf }: Numbers & Pick<Postings, 'rangeOf'>,
  terms: readonly LexicalTerm[],
  chunks: readonly ChunkAddress[],
  frequencies: ScoringTask['frequencies'] = [],
): { readonly task: ScoringTask; readonly scoresOf: (result: ScoringResult) => number[] } {
  const ordinals = chunks.map(({ documentId, version, index }) => {
    const range = rangeOf(documentId);
    return range?.version === version && index < range.count ? range.base + index : undefined;
  });
  const known = [...new Set(ordinals.filter((ordinal) => ordinal !== undefined))].sort((a, b) => a - b);
  const select = { kind: 'these', ordinals: Uint32Array.from(known) } as const;
  return {
    task: { lists, lengths, count, totalLength, terms, frequencies, select },
    scoresOf: (result) => {
      const scores = new Map(result.ordinals.map((ordinal, at) => [ordinal, result.scores[at] as number]));
      return ordinals.map((ordinal) => (ordinal === undefined ? 0 : (scores.get(ordinal) as number)));
    },
  };
}

/** Ranks in this thread. */
export async function rankPostings(postings: Postings, query: LexicalQuery): Promise<LexicalRanking> {
  const ranges = query.documents && (await rangesOf(postings, query.documents));
  return rankingOf(postings, scorePostings(rankingTask(postings, query, ranges)));
}
