import { holm, pairedBootstrap } from './paired-bootstrap.ts';
import { mean, type Scores } from './scores.ts';
import { textTable } from './text-table.ts';

export interface ComparedMetric {
  readonly part: string;
  readonly set: string;
  readonly mode: string;
  readonly metric: string;
  /** Items that both have. */
  readonly items: number;
  readonly first: number;
  readonly second: number;
  readonly difference: number;
  readonly interval: readonly [number, number];
  readonly p: number;
  /** p < 0.05 for this comparison alone. */
  readonly significant: boolean;
  /** And still so, given how many were made (Holm). */
  readonly significantOfAll: boolean;
}

/** Every metric that both configurations have for the same set and mode, over the items that both scored. */
export function compareScores(
  first: readonly Scores[],
  second: readonly Scores[],
  options: { readonly resamples: number; readonly seed: number },
): ComparedMetric[] {
  const compared = first.flatMap((scores) => {
    const other = second.find(
      ({ part, set, mode }) => part === scores.part && set === scores.set && mode === scores.mode,
    );
    return other ? comparePair(scores, other, options) : [];
  });
  const hold = holm(compared.map(({ p }) => p));
  return compared.map((each, index) => ({
    ...each,
    significant: each.p < 0.05,
    significantOfAll: hold[index] === true,
  }));
}

function comparePair(first: Scores, second: Scores, options: { readonly resamples: number; readonly seed: number }) {
  const position = new Map(second.ids.map((id, index) => [id, index]));
  const shared = first.ids.flatMap((id, index) => {
    const other = position.get(id);
    return other === undefined ? [] : [[index, other] as const];
  });
  if (shared.length < 2) return [];
  const { part, set, mode } = first;
  return Object.entries(first.metrics).flatMap(([metric, values]) => {
    const others = second.metrics[metric];
    if (!others) return [];
    const ofFirst = shared.map(([index]) => values[index] as number);
    const ofSecond = shared.map(([, index]) => others[index] as number);
    const comparison = pairedBootstrap(ofFirst, ofSecond, options);
    return [
      { part, set, mode, metric, items: shared.length, first: mean(ofFirst), second: mean(ofSecond), ...comparison },
    ];
  });
}

/** What was compared, a line each; `*` marks what is significant at 95 %, `**` what holds for all of them together. */
export function comparisonTable(compared: readonly ComparedMetric[]): string {
  const signed = (value: number) => `${value < 0 ? '' : '+'}${value.toFixed(4)}`;
  const rows = compared.map((each) => [
    `${each.set} ${each.mode} ${each.metric}`,
    String(each.items),
    each.first.toFixed(4),
    each.second.toFixed(4),
    signed(each.difference),
    `${signed(each.interval[0])} to ${signed(each.interval[1])}`,
    each.p.toFixed(4),
    each.significantOfAll ? '**' : each.significant ? '*' : '',
  ]);
  return textTable(['measure', 'items', 'first', 'second', 'difference', '95 % interval', 'p', ''], rows);
}
