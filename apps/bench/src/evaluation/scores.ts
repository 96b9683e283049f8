/** What one way of asking scored on each item (query, question, page) of a set. */
export interface Scores {
  readonly part: string;
  readonly set: string;
  /** The way of asking, such as `hybrid`. */
  readonly mode: string;
  readonly ids: readonly string[];
  /** By name, in the order of `ids`. */
  readonly metrics: Readonly<Record<string, readonly number[]>>;
}

export const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The mean of each metric. */
export function meansOf({ metrics }: Scores): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([name, values]) => [name, mean(values)]));
}

/** Turns one record of metrics an item into one list a metric. */
export function collectScores(
  of: Pick<Scores, 'part' | 'set' | 'mode'>,
  items: readonly { readonly id: string; readonly metrics: Readonly<Record<string, number>> }[],
): Scores {
  const names = Object.keys(items[0]?.metrics ?? {});
  return {
    ...of,
    ids: items.map(({ id }) => id),
    // Six digits keep the file readable and are far below any difference that matters.
    metrics: Object.fromEntries(
      names.map((name) => [name, items.map(({ metrics }) => Number((metrics[name] ?? Number.NaN).toFixed(6)))]),
    ),
  };
}
