import { z } from 'zod';
import type { CriticalMetric } from './critical-metrics.ts';

// https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
const Answer = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});

export interface Verdict {
  readonly name: string;
  readonly ok: boolean;
  /** What is the matter, with the series that show it; undefined where all is well. */
  readonly fault?: string;
}

/** Prometheus could not be asked, or did not answer as it should. */
export class PrometheusError extends Error {
  override readonly name = 'PrometheusError';
}

/** @throws PrometheusError */
export async function judge(
  metric: CriticalMetric,
  prometheus: { readonly url: string; readonly token?: string | undefined; readonly timeoutMs: number },
): Promise<Verdict> {
  const series = await ask(metric.query, prometheus);
  if (series.length > 0 === (metric.wanted === 'some')) return { name: metric.name, ok: true };
  const shown = series.map(({ metric: labels, value }) => `${JSON.stringify(labels)} ${value[1]}`).slice(0, 5);
  return { name: metric.name, ok: false, fault: [metric.fault, ...shown].join('; ') };
}

async function ask(
  query: string,
  { url, token, timeoutMs }: { readonly url: string; readonly token?: string | undefined; readonly timeoutMs: number },
) {
  const address = `${url.replace(/\/$/, '')}/api/v1/query`;
  try {
    const response = await fetch(address, {
      method: 'POST',
      body: new URLSearchParams({ query }),
      signal: AbortSignal.timeout(timeoutMs),
      headers: token ? { authorization: `Bearer ${token}` } : {},
    });
    if (!response.ok) throw new Error(`it answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
    return Answer.parse(await response.json()).data.result;
  } catch (error) {
    const why = error instanceof Error ? `${error.message}${error.cause ? ` (${error.cause})` : ''}` : String(error);
    throw new PrometheusError(`Prometheus at ${url} could not be asked: ${why}`, { cause: error });
  }
}
