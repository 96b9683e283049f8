import { createRandom } from '../seeded-text.ts';
import { quantile } from '../statistics.ts';
import { mean } from './scores.ts';

/** Sums of scores differ by this much through rounding alone, and no score is given so finely. */
const rounding = 1e-9;

export interface Comparison {
  /** Mean of the second minus mean of the first. */
  readonly difference: number;
  /** Percentile interval of the difference that holds 95 % of the resamples. */
  readonly interval: readonly [number, number];
  /** Two-sided achieved significance level: how often chance alone gives a difference as large. */
  readonly p: number;
}

/**
 * Paired bootstrap of the difference of two means over the same queries: the interval by percentiles (Efron and
 * Tibshirani 1993, chapter 13), the significance level by the Studentised difference of resamples that were shifted to
 * no difference (ibid., chapter 16; Sakai, "Evaluating evaluation metrics based on the bootstrap", SIGIR 2006).
 * @param first scores by query; `second` those of the other configuration, in the same order
 * @param resamples at least 10,000, so that the ends of the interval stand on 250 resamples each
 */
export function pairedBootstrap(
  first: readonly number[],
  second: readonly number[],
  { resamples = 10_000, seed = 1 }: { readonly resamples?: number; readonly seed?: number } = {},
): Comparison {
  if (first.length !== second.length) throw new Error('paired scores must be of the same queries');
  if (first.length < 2) throw new Error('a comparison needs two queries or more');
  const differences = first.map((score, index) => (second[index] as number) - score);
  const count = differences.length;
  const difference = mean(differences);
  const observed = Math.abs(studentised(differences, difference, 0));
  const random = createRandom(seed);
  const means: number[] = [];
  let asLarge = 0;
  const resample = new Array<number>(count);
  for (let round = 0; round < resamples; round += 1) {
    for (let index = 0; index < count; index += 1)
      resample[index] = differences[Math.floor(random() * count)] as number;
    const ofResample = mean(resample);
    means.push(ofResample);
    if (Math.abs(studentised(resample, ofResample, difference)) >= observed) asLarge += 1;
  }
  return { difference, interval: [quantile(means, 0.025), quantile(means, 0.975)], p: asLarge / resamples };
}

/** How many standard errors the mean of the values is away from `expected`. */
function studentised(values: readonly number[], ofValues: number, expected: number): number {
  const distance = ofValues - expected;
  if (Math.abs(distance) < rounding) return 0;
  let squares = 0;
  for (const value of values) squares += (value - ofValues) ** 2;
  const error = Math.sqrt(squares / (values.length - 1) / values.length);
  // Values that are all the same have no error: any distance is then beyond doubt.
  return error < rounding ? Math.sign(distance) * Number.POSITIVE_INFINITY : distance / error;
}

/**
 * Which of many comparisons hold together at the level (Holm 1979): with twenty, one of no meaning is expected to pass
 * at 5 % alone.
 */
export function holm(levels: readonly number[], level = 0.05): boolean[] {
  const order = levels.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
  const holds = new Array<boolean>(levels.length).fill(false);
  for (const [rank, { p, index }] of order.entries()) {
    if (p >= level / (levels.length - rank)) break;
    holds[index] = true;
  }
  return holds;
}
