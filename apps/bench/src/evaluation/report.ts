import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { barChart } from '../bar-chart.ts';
import type { AnswersReport } from './evaluate-answers.ts';
import type { OcrReport } from './evaluate-ocr.ts';
import type { Results } from './evaluate-sets.ts';
import type { RefusalScores } from './refusal-metrics.ts';
import { meansOf, type Scores } from './scores.ts';
import { textTable } from './text-table.ts';

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

/** All that was measured as tables, as they stand on a terminal and in a Markdown file. */
export function reportTables(results: Results): string {
  const tables = [
    ...means('retrieval', results.scores, ['p50 ms', 'p95 ms', 'degraded'], (of) => latencyCells(results, of)),
    ...means('chunking', results.scores),
    ...answerTables(results),
    ...results.ocr.map(ocrTable),
  ];
  return tables.join('\n\n');
}

/** A line for each set and mode; sets whose metrics have other names get a table of their own. */
function means(
  part: string,
  scores: readonly Scores[],
  moreHeadings: readonly string[] = [],
  moreCells: (scores: Scores) => readonly string[] = () => [],
): string[] {
  const byMetrics = Map.groupBy(
    scores.filter((each) => each.part === part),
    ({ metrics }) => Object.keys(metrics).join('\n'),
  );
  return [...byMetrics].map(([names, group]) =>
    textTable(
      [part, 'items', ...names.split('\n'), ...moreHeadings],
      group.map((each) => [
        ...[`${each.set} ${each.mode}`, String(each.ids.length), ...Object.values(meansOf(each)).map(fixed)],
        ...moreCells(each),
      ]),
    ),
  );
}

const fixed = (value: number) => value.toFixed(4);

function latencyCells({ retrieval }: Results, { set, mode }: Scores): string[] {
  const measured = retrieval.find((report) => report.set === set)?.modes[mode];
  const degraded = Object.entries(measured?.degraded ?? {}).map(([reason, count]) => `${reason} ${count}`);
  return [String(measured?.p50Ms ?? ''), String(measured?.p95Ms ?? ''), degraded.join(', ')];
}

const refusalHeadings = ['precision', 'recall', 'wrongly refused'];
const refusalCells = (scores: RefusalScores) => [scores.precision, scores.recall, scores.wronglyRefused].map(fixed);

function answerTables({ answers, scores }: Results): string[] {
  if (answers.length === 0) return [];
  const refused = answers.flatMap(({ set, refusal }) =>
    Object.entries(refusal).flatMap(([against, halves]) =>
      Object.entries(halves).map(([half, of]) => [`${set}: ${against}, ${half}`, ...refusalCells(of)]),
    ),
  );
  return [
    ...means('answers', scores),
    textTable(['refusal', ...refusalHeadings], refused),
    textTable(['signal', 'AUC', 'threshold', ...refusalHeadings], answers.flatMap(signalRows)),
    textTable(
      ['answers', 'model', 'citations', 'p50 ms', 'p95 ms'],
      answers.map(({ set, model, citations, p50Ms, p95Ms }) => [set, model, ...[citations, p50Ms, p95Ms].map(String)]),
    ),
  ];
}

const signalRows = ({ set, signals }: AnswersReport) =>
  signals.map(({ signal, against, areaUnderCurve, threshold, scores }) => [
    ...[`${set}: ${signal}, ${against}`, fixed(areaUnderCurve), fixed(threshold), ...refusalCells(scores)],
  ]);

const ocrTable = ({ set, kinds }: OcrReport) =>
  textTable(
    [`OCR, ${set}`, 'pages', 'character error', 'word error', 'word recall', 'median character error'],
    Object.entries(kinds).map(([kind, of]) => [
      ...[kind, String(of.pages), fixed(of.characterError), fixed(of.wordError), fixed(of.wordRecall)],
      fixed(of.medianCharacterError),
    ]),
  );

const plotted: readonly (readonly [part: string, metric: string])[] = [
  ...(['nDCG@10', 'recall@100', 'MRR@10'] as const).map((metric) => ['retrieval', metric] as const),
  ...[['chunking', 'recall@5'] as const, ['answers', 'answer in 1'] as const, ['answers', 'precise'] as const],
  ['ocr', 'character error'],
];

/** The plots, by file name. */
export function plotsOf({ retrieval, scores }: Results): Record<string, string> {
  const plots: Record<string, string> = {};
  for (const [part, metric] of plotted) {
    const bars = scores.flatMap((each) => {
      const value = each.part === part ? meansOf(each)[metric] : undefined;
      return value === undefined ? [] : [{ label: `${each.set} ${each.mode}`, value: Number(value.toFixed(3)) }];
    });
    const name = `${part}-${metric.toLowerCase().replace(/[^a-z0-9]+/g, '-')}.svg`;
    if (bars.length > 0) plots[name] = barChart(`${part}: ${metric}`, bars);
  }
  const latency = retrieval.flatMap(({ set, modes }) =>
    Object.entries(modes).map(([mode, { p95Ms }]) => ({ label: `${set} ${mode}`, value: p95Ms })),
  );
  if (latency.length > 0) plots['retrieval-latency.svg'] = barChart('search: 95th percentile in ms', latency);
  return plots;
}
