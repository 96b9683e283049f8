/** What was refused of the questions that have an answer, and of those that have none. */
export interface RefusalScores {
  /** Of what was refused, the share that had to be; NaN where nothing was refused. */
  readonly precision: number;
  /** Of what had to be refused, the share that was. */
  readonly recall: number;
  /** Of what has an answer, the share that was refused. */
  readonly wronglyRefused: number;
}

export function refusalScores(answerable: readonly boolean[], others: readonly boolean[]): RefusalScores {
  const wrong = answerable.filter(Boolean).length;
  const right = others.filter(Boolean).length;
  return {
    precision: right / (right + wrong),
    recall: right / others.length,
    wronglyRefused: wrong / answerable.length,
  };
}

/**
 * How well a signal tells the two apart: the chance that a question with an answer has the higher value (area under the
 * ROC curve, as Mann and Whitney's U).
 */
export function areaUnderCurve(answerable: readonly number[], others: readonly number[]): number {
  let wins = 0;
  for (const one of answerable) for (const other of others) wins += one > other ? 1 : one === other ? 0.5 : 0;
  return wins / (answerable.length * others.length);
}

/**
 * The highest threshold below which at most the given share of the questions that have an answer lies.
 * @param answerable the signal of each of them
 */
export function thresholdFor(answerable: readonly number[], wrongShare: number): number {
  const sorted = answerable.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(wrongShare * sorted.length))] ?? Number.NaN;
}
