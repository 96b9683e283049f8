import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { z } from 'zod';
import { barChart } from '../bar-chart.ts';
import type { RetrievalReport } from './evaluate-retrieval.ts';
import { meansOf, type Scores } from './scores.ts';
import { textTable } from './text-table.ts';

/** What one evaluation gave. */
export interface Report {
  readonly at: string;
  readonly commit: string;
  readonly machine: object;
  readonly settings: object;
  readonly retrieval: readonly RetrievalReport[];
  /** By item, so that two reports can be compared. */
  readonly scores: readonly Scores[];
}

/** Where and of what it was measured. */
export function circumstances(): Pick<Report, 'at' | 'commit' | 'machine'> {
  return {
    at: new Date().toISOString(),
    commit: currentCommit(),
    machine: {
      cores: cpus().length,
      processor: cpus()[0]?.model,
      memoryGb: Math.round(totalmem() / 1e9),
      node: process.version,
    },
  };
}

/** Which code was measured; `+` where files were changed since. */
function currentCommit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty=+', '--exclude=*'], { encoding: 'utf8' }).trim();
  } catch {
    // Unpacked without its history, as from an archive: the figures are good, their origin is unknown.
    return 'unknown';
  }
}

const StoredScores = z.object({
  part: z.string(),
  set: z.string(),
  mode: z.string(),
  ids: z.array(z.string()),
  metrics: z.record(z.string(), z.array(z.number())),
});
const StoredReport = z.object({ scores: z.array(StoredScores) });

/** The scores of an earlier report. @throws Error where the file is none */
export async function readScores(path: string): Promise<Scores[]> {
  const parsed = StoredReport.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (!parsed.success) throw new Error(`${path} is no report of an evaluation: ${z.prettifyError(parsed.error)}`);
  return parsed.data.scores;
}

export function retrievalTable({ retrieval, scores }: Pick<Report, 'retrieval' | 'scores'>): string {
  const rows = scores
    .filter(({ part }) => part === 'retrieval')
    .map((each) => {
      const timing = retrieval.find(({ set }) => set === each.set)?.modes[each.mode];
      const means = Object.values(meansOf(each)).map((value) => value.toFixed(4));
      const degraded = Object.entries(timing?.degraded ?? {}).map(([reason, count]) => `${reason} ${count}`);
      return [
        ...[`${each.set} ${each.mode}`, String(each.ids.length), ...means],
        ...[String(timing?.p50Ms ?? ''), String(timing?.p95Ms ?? ''), degraded.join(', ')],
      ];
    });
  const first = scores.find(({ part }) => part === 'retrieval');
  if (!first) return '';
  return textTable(['set, mode', 'queries', ...Object.keys(first.metrics), 'p50 ms', 'p95 ms', 'degraded'], rows);
}

/** The plots, by file name. */
export function plotsOf({ retrieval, scores }: Pick<Report, 'retrieval' | 'scores'>): Record<string, string> {
  const plots: Record<string, string> = {};
  for (const metric of ['nDCG@10', 'recall@100', 'MRR@10']) {
    const bars = scores.flatMap((each) => {
      const value = each.part === 'retrieval' ? meansOf(each)[metric] : undefined;
      return value === undefined ? [] : [{ label: `${each.set} ${each.mode}`, value: Number(value.toFixed(3)) }];
    });
    if (bars.length > 0) plots[`retrieval-${metric.toLowerCase().replace('@', '-')}.svg`] = barChart(metric, bars);
  }
  const latency = retrieval.flatMap(({ set, modes }) =>
    Object.entries(modes).map(([mode, { p95Ms }]) => ({ label: `${set} ${mode}`, value: p95Ms })),
  );
  if (latency.length > 0) plots['retrieval-latency.svg'] = barChart('Search, 95th percentile in ms', latency);
  return plots;
}
