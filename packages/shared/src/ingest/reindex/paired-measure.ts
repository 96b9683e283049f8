import type { ComparisonMeasure } from '../../contracts/model/comparison.ts';

/** A loss that is smaller is none, however sure it is; one that is larger is one, however few the queries are. */
const leastLoss = 0.01;
const plainLoss = 0.1;
/** Of the standard normal distribution, for 95 % of two sides. */
const z = 1.96;

/**
 * Two models by what they score on the same queries, with the interval of the mean difference by its standard error.
 * @returns undefined where there are no queries
 */
export function pairedMeasure(former: readonly number[], next: readonly number[]): ComparisonMeasure | undefined {
  const { length: queries } = former;
  if (queries === 0) return undefined;
  const differences = next.map((score, at) => score - former[at]!);
  const difference = mean(differences);
  const variance = differences.reduce((sum, one) => sum + (one - difference) ** 2, 0) / Math.max(1, queries - 1);
  const margin = z * Math.sqrt(variance / queries);
  return {
    queries,
    former: rounded(mean(former)),
    next: rounded(mean(next)),
    interval: [rounded(difference - margin), rounded(difference + margin)],
  };
}

/** Whether the next model is worse: surely, and by an amount that matters; or by so much that nobody need be sure. */
export function isWorse({ former, next, interval: [, upper] }: ComparisonMeasure): boolean {
  const loss = former - next;
  return loss >= plainLoss || (loss >= leastLoss && upper < 0);
}

export const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, one) => sum + one, 0) / Math.max(1, numbers.length);

const rounded = (number: number) => Math.round(number * 10_000) / 10_000;
