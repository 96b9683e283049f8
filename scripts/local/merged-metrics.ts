/** One process's text of `/metrics`, or undefined where it does not answer. */
export interface MetricsSource {
  process: string;
  read: () => Promise<string | undefined>;
}

interface Family {
  header: string[];
  samples: string[];
}

/** The text format that Prometheus has read since its version 2. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * One exposition of many processes: every family once, as the format demands, each sample with the label `process`.
 * A process that does not answer is left out; the caller's own families say that it is down.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export async function mergeMetrics(sources: readonly MetricsSource[]): Promise<string> {
  const texts = await Promise.all(sources.map((source) => source.read()));
  const families = new Map<string, Family>();
  for (const [i, text] of texts.entries()) {
    if (text !== undefined) addText(families, text, (sources[i] as MetricsSource).process);
  }
  return [...families.values()]
    .filter((family) => family.samples.length > 0)
    .map((family) => [...family.header, ...family.samples, ''].join('\n'))
    .join('');
}

function addText(families: Map<string, Family>, text: string, process: string): void {
  // Samples belong to the header above them: histograms have several names under one.
  let current: Family | undefined;
  let mine: string | undefined;
  for (const line of text.split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+)/.exec(line);
    if (comment !== null) {
      const name = comment[2] as string;
      current = familyOf(families, name);
      mine = name;
      if (!current.header.some((known) => known.startsWith(`# ${comment[1]} `))) current.header.push(line);
    } else if (line !== '' && !line.startsWith('#')) {
      const name = /^[^\s{]+/.exec(line)?.[0] ?? '';
      if (mine === undefined || !name.startsWith(mine)) current = familyOf(families, name);
      current?.samples.push(withLabel(line, name, process));
    }
  }
}

function familyOf(families: Map<string, Family>, name: string): Family {
  const family = families.get(name) ?? { header: [], samples: [] };
  families.set(name, family);
  return family;
}

function withLabel(sample: string, name: string, process: string): string {
  const label = `process="${process}"`;
  const rest = sample.slice(name.length);
  if (!rest.startsWith('{')) return `${name}{${label}}${rest}`;
  return rest.startsWith('{}') ? `${name}{${label}}${rest.slice(2)}` : `${name}{${label},${rest.slice(1)}`;
}

/** Reads a process's metrics at its address. A process that is starting or gone has none. */
export async function fetchMetrics(address: string, timeoutMs = 2_000): Promise<string | undefined> {
  try {
    const response = await fetch(`${address}/metrics`, { signal: AbortSignal.timeout(timeoutMs) });
    const text = await response.text();
    return response.ok ? text : undefined;
  } catch {
    return undefined;
  }
}
