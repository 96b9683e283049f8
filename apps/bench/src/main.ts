import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { type Service, startService } from '@semantic-memory/e2e/service';
import { barChart } from './bar-chart.ts';
import { measureColdStart } from './scenarios/cold-start.ts';
import { measureFairness } from './scenarios/fairness.ts';
import { measureFiles } from './scenarios/files.ts';
import { measureGrowth } from './scenarios/growth.ts';
import { measureLibrariesAlone } from './scenarios/libraries-alone.ts';
import { measureLongPdf } from './scenarios/long-pdf.ts';
import { measurePostLatency } from './scenarios/post-latency.ts';
import { measureSearch } from './scenarios/search-latency.ts';
import { measureShortTexts } from './scenarios/short-texts.ts';
import { rounded, timed } from './statistics.ts';

/**
 * Measures the whole service as `make up` runs it, on a data folder of its own. Names of scenarios as arguments choose;
 * BENCH_OUTPUT names the folder for the results, BENCH_DATA one with the files that cannot be shipped, BENCH_BACKLOG how
 * many documents another's one stands behind.
 */
const scenarios: Record<string, (service: Service) => Promise<object>> = {
  'short-texts': (service) => measureShortTexts(service, 2_000),
  'libraries-alone': (service) => measureLibrariesAlone(service, 2_000),
  'long-pdf': (service) => measureLongPdf(service, 350),
  'post-latency': (service) => measurePostLatency(service, 100),
  'huge-pdf': (service) => measureLongPdf(service, 2_000),
  'cold-start': (service) => measureColdStart(service, 10),
  fairness: (service) => measureFairness(service, Number(process.env.BENCH_BACKLOG ?? 1_500), 20),
  search: (service) => measureSearch(service, 20_000, 300),
  'growth-10k': (service) => measureGrowth(service, 10_000),
  'growth-100k': (service) => measureGrowth(service, 100_000),
  'growth-300k': (service) => measureGrowth(service, 300_000),
  files: (service) => {
    const dataDir = process.env.BENCH_DATA;
    if (dataDir === undefined) return Promise.resolve({ skipped: 'BENCH_DATA names no folder' });
    return measureFiles(service, resolve(dataDir));
  },
};

/** Takes a quarter of an hour and 10 GB of disk: only by name. */
const large = ['growth-300k'];
const all = Object.keys(scenarios).filter((name) => !large.includes(name));
const chosen = process.argv.length > 2 ? process.argv.slice(2) : all;
const output = resolve(process.env.BENCH_OUTPUT ?? '.data/bench');
await mkdir(output, { recursive: true });
const results: Record<string, object> = {};
for (const name of chosen) {
  const measure = scenarios[name];
  if (!measure) throw new Error(`there is no scenario ${name}; there are ${Object.keys(scenarios).join(', ')}`);
  // Each has the service for itself: what one leaves behind would slow the next.
  const { result: service, ms: startMs } = await timed(() => startService());
  try {
    results[name] = { startSeconds: rounded(startMs / 1000), ...(await measure(service)) };
  } finally {
    await service.stop();
  }
  console.log(name, JSON.stringify(results[name], null, 2));
}

const machine = {
  cores: cpus().length,
  processor: cpus()[0]?.model,
  memoryGb: Math.round(totalmem() / 1e9),
  node: process.version,
};
const report = { at: new Date().toISOString(), machine, results };
await writeFile(join(output, 'results.json'), `${JSON.stringify(report, null, 2)}\n`);
await writeFile(
  join(output, 'throughput.svg'),
  barChart('Chunks a second, and the model alone', throughputBars(results)),
);
console.log(`written to ${output}`);

function throughputBars(measured: Record<string, object>): { label: string; value: number }[] {
  return Object.entries(measured).flatMap(([name, result]) => {
    const { chunksPerSecond, bareModelPerSecond } = result as Record<string, number | undefined>;
    return [
      ...(chunksPerSecond === undefined ? [] : [{ label: name, value: chunksPerSecond }]),
      ...(bareModelPerSecond === undefined ? [] : [{ label: `${name}: model alone`, value: bareModelPerSecond }]),
    ];
  });
}
