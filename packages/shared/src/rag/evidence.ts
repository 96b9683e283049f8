import type { SearchHit } from '../contracts/model/search.ts';
import { termsOf } from '../search/terms.ts';

/** How strongly the nearest passage speaks to a question. */
export type Evidence = 'none' | 'weak' | 'strong';

export interface Thresholds {
  /** Below this there is no evidence. */
  readonly none: number;
  /** Below this it is weak. */
  readonly weak: number;
}

/** Thresholds of the cosine that whoever runs the service has measured, by model. */
export type MeasuredThresholds = Readonly<Record<string, Thresholds>>;

interface Measured {
  /** Of the cosine of the best passage. */
  readonly similarity: Thresholds;
  /** Of the MaxSim of the best passage. */
  readonly support?: Thresholds | undefined;
}

/**
 * Thresholds belong to the model, since each spreads its scores differently. For the default model they were measured
 * (docs/evaluation.md): a MaxSim of 0.675 refuses 0.4 to 2 % of answerable and 84 to 97 % of off-topic questions, a cosine
 * of 0.60 3 to 5 % and 51 to 91 %. For other models nothing was measured unless who runs the service says so
 * (`EVIDENCE_THRESHOLDS`): nothing is refused for a low score then, and all evidence is called weak.
 */
const measured: Readonly<Record<string, Measured>> = {
  'bge-small-en-v1.5-int8': { similarity: { none: 0.6, weak: 0.7 }, support: { none: 0.675, weak: 0.72 } },
};
const unmeasured: Thresholds = { none: Number.NEGATIVE_INFINITY, weak: Number.POSITIVE_INFINITY };

/**
 * @param support the highest MaxSim of a passage, where it is known: it tells more than similarity does
 * @param own go before what is known of a model's cosine here
 */
export function evidenceOf(
  hits: readonly SearchHit[],
  model: string | undefined,
  support: number | undefined,
  own: MeasuredThresholds = {},
): Evidence {
  if (hits.length === 0) return 'none';
  const ofModel = model === undefined ? undefined : thresholdsOf(model, own);
  const [best, signal] =
    support === undefined
      ? [Math.max(...hits.map((hit) => hit.similarity)), ofModel?.similarity]
      : [support, ofModel?.support];
  const thresholds = signal ?? unmeasured;
  if (best < thresholds.none) return 'none';
  return best < thresholds.weak ? 'weak' : 'strong';
}

function thresholdsOf(model: string, own: MeasuredThresholds): Measured | undefined {
  const known = Object.hasOwn(measured, model) ? measured[model] : undefined;
  const similarity = (Object.hasOwn(own, model) ? own[model] : undefined) ?? known?.similarity;
  return similarity && { similarity, support: known?.support };
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
