import process from 'node:process';
import { parseArgs } from 'node:util';
import { judge, PrometheusError } from './metrics/ask-prometheus.ts';
import { criticalMetrics } from './metrics/critical-metrics.ts';

const usage = `Asks Prometheus whether the critical metrics of the service are as they must be.

scripts/check_metrics.sh [--url URL] [--json]

  --url URL   default PROMETHEUS_URL, else http://127.0.0.1:9090; PROMETHEUS_TOKEN is sent as its bearer token
  --json      one JSON object a line

Exit status: 0 all are, 1 one is not, 2 Prometheus could not be asked.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { url: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const url = values.url ?? (process.env.PROMETHEUS_URL || 'http://127.0.0.1:9090');
  const prometheus = { url, token: process.env.PROMETHEUS_TOKEN, timeoutMs: 10_000 };
  let status = 0;
  for (const metric of criticalMetrics) {
    const verdict = await judge(metric, prometheus);
    if (!verdict.ok) status = 1;
    const line = verdict.ok ? `ok: ${verdict.name}` : `FAULT: ${verdict.name}: ${verdict.fault}`;
    process.stdout.write(`${values.json ? JSON.stringify(verdict) : line}\n`);
  }
  return status;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`check_metrics: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = error instanceof PrometheusError ? 2 : 3;
}
