/** One metric of a scrape: its type, and the labels that its series have. */
export interface ScrapedMetric {
  readonly type: string;
  readonly help: string;
  /** Label names, without `le` and without those that the scraper adds. */
  readonly labels: ReadonlySet<string>;
  readonly series: number;
}

/** Labels that say where a series comes from, not what it counts. */
const origins = ['le', 'process'];

/**
 * Reads the text format of Prometheus.
 * @returns by the name under which the metric is declared: a histogram has one
 * @throws where a series was not declared before it
 */
export function readExposition(text: string): ReadonlyMap<string, ScrapedMetric> {
  const found = new Map<string, { type: string; help: string; labels: Set<string>; series: number }>();
  const entry = (name: string) => {
    const known = found.get(name) ?? { type: '', help: '', labels: new Set<string>(), series: 0 };
    found.set(name, known);
    return known;
  };
  for (const line of text.split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment) {
      const [, kind, name = '', rest = ''] = comment;
      if (kind === 'TYPE') entry(name).type = rest;
      else entry(name).help = rest;
      continue;
    }
    const sample = /^([^\s{]+)(?:\{(.*)\})? \S+$/.exec(line);
    if (!sample) continue;
    const [, name = '', labels = ''] = sample;
    const metric = found.get(name) ?? found.get(name.replace(/_(bucket|sum|count)$/, ''));
    if (!metric) throw new Error(`${name} has no header`);
    metric.series += 1;
    for (const [, label = ''] of labels.matchAll(/([a-zA-Z_]\w*)="/g)) {
      if (!origins.includes(label)) metric.labels.add(label);
    }
  }
  return found;
}
