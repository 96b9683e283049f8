import type { SearchHit } from '../contracts/model/search.ts';
import { termsOf } from '../search/terms.ts';

/** How strongly the nearest passage speaks to a question. */
export type Evidence = 'none' | 'weak' | 'strong';

interface Thresholds {
  /** Below this cosine of the best passage there is no evidence. */
  readonly none: number;
  /** Below this it is weak. */
  readonly weak: number;
}

/**
 * Thresholds belong to the model, since each spreads its cosines differently. For the default model they were measured
 * (docs: retrieval): 0.60 refuses 4 % of answerable and 9 to 48 % of off-topic questions. For other models nothing was
 * measured, so nothing is refused for a low cosine and all evidence is called weak.
 */
const measured: Readonly<Record<string, Thresholds>> = {
  'bge-small-en-v1.5-int8': { none: 0.6, weak: 0.7 },
};
const unmeasured: Thresholds = { none: Number.NEGATIVE_INFINITY, weak: Number.POSITIVE_INFINITY };

export function evidenceOf(hits: readonly SearchHit[], model: string | undefined): Evidence {
  if (hits.length === 0) return 'none';
  const thresholds = (model === undefined ? undefined : measured[model]) ?? unmeasured;
  const best = Math.max(...hits.map((hit) => hit.similarity));
  if (best < thresholds.none) return 'none';
  return best < thresholds.weak ? 'weak' : 'strong';
}

/** Says why there is no answer: which words of the question no passage holds, and what was nearest. */
export function refusalText(question: string, hits: readonly SearchHit[]): string {
  const nearest = hits[0];
  if (!nearest) return 'No answer was found: nothing that could be searched here matches the question.';
  const known = new Set(hits.flatMap((hit) => termsOf(`${hit.title}\n${hit.text}`).map((term) => term.key)));
  const missing = termsOf(question)
    .filter((term) => !known.has(term.key))
    .map((term) => question.slice(term.start, term.end));
  const words = [...new Set(missing)].slice(0, 5).join(', ');
  const lacking = words ? ` No passage that was found mentions: ${words}.` : '';
  return `No answer was found: no passage is close enough to the question.${lacking}`;
}
