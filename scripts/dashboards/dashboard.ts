/** A query of a panel, in PromQL, and what its lines are called. */
export interface Query {
  readonly expr: string;
  /** With labels as `{{tier}}`. */
  readonly legend: string;
}

/** A panel in the words of this project; `render.ts` makes Grafana's of it. */
export interface Panel {
  readonly title: string;
  /** What it shows and when to worry. */
  readonly about: string;
  /** One number, or lines over time. */
  readonly kind: 'number' | 'lines';
  /** Grafana's name, such as `s`, `reqps`, `percentunit`. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Where the alert of the same figure lies. */
  readonly threshold?: number;
}

export interface Dashboard {
  /** Its file name, and its uid in Grafana. */
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** Each row has its panels side by side, all of one width. */
  readonly rows: readonly (readonly Panel[])[];
}

export const query = (expr: string, legend = ''): Query => ({ expr, legend });

const panel =
  (kind: Panel['kind']) =>
  (title: string, about: string, unit: string, queries: readonly Query[], threshold?: number): Panel => ({
    ...{ title, about, kind, unit, queries },
    ...(threshold === undefined ? {} : { threshold }),
  });

export const lines = panel('lines');
export const number = panel('number');

/** The window over which Grafana takes rates: four scrapes at least. */
export const window = '$__rate_interval';

/** Events a second, by labels where some are given. */
export const rate = (series: string, ...by: readonly string[]): string =>
  `sum${by.length > 0 ? ` by (${by.join(', ')})` : ''} (rate(${series}[${window}]))`;

/** A quantile of a histogram. @param series its name without `_bucket`, with matchers in braces behind it where wanted */
export function quantile(q: number, histogram: string, ...by: readonly string[]): string {
  const [name = '', matchers = ''] = histogram.split(/(?=\{)/);
  return `histogram_quantile(${q}, ${rate(`${name}_bucket${matchers}`, 'le', ...by)})`;
}

/** The share of one rate in another; 0 where nothing of it was ever counted. */
export const share = (part: string, whole: string): string => `(${rate(part)} or vector(0)) / ${rate(whole)}`;
