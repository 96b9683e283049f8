/** Words of PromQL that are not metrics. https://prometheus.io/docs/prometheus/latest/querying/operators/ */
const keywords = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan']);

/** The metrics that an expression in PromQL names, as the scrape declares them: of a histogram, one. */
export function metricNames(expression: string): string[] {
  const bare = expression
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, '');
  const names = [...bare.matchAll(/[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])/g)].map(([name]) => name);
  const functions = [...bare.matchAll(/([a-zA-Z_]\w*)\s*\(/g)].map(([, name]) => name);
  const metrics = names.filter((name) => !keywords.has(name) && !functions.includes(name));
  return [...new Set(metrics.map((name) => name.replace(/_seconds_(bucket|sum|count)$/, '_seconds')))];
}
