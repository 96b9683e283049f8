import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startService } from '@semantic-memory/e2e/service';
import { compareScores, comparisonTable } from './compare-reports.ts';
import { evaluateRetrieval, type RetrievalReport } from './evaluate-retrieval.ts';
import { type EvaluationSet, findSets } from './find-sets.ts';
import { circumstances, plotsOf, type Report, readScores, retrievalTable } from './report.ts';
import type { Scores } from './scores.ts';
import { readSettings, type Settings } from './settings.ts';

/**
 * Measures the quality of the whole service as `make up` runs it, on a data folder of its own, through its public API:
 * docs/evaluation.md. Its environment chooses (settings.ts).
 */
const settings = readSettings(process.env, fileURLToPath(new URL('../../evaluation-sets', import.meta.url)));
await mkdir(settings.output, { recursive: true });
if (settings.compare) {
  const [first, second] = settings.compare;
  await compare(settings, await readScores(first), await readScores(second));
} else {
  const report = await evaluate(settings, {});
  await writeReport(settings, report, 'results.json');
  if (settings.against) {
    const other = await evaluate(settings, settings.against);
    await writeReport(settings, other, 'results-against.json');
    await compare(settings, report.scores, other.scores);
  }
}

async function evaluate(chosen: Settings, env: Readonly<Record<string, string>>): Promise<Report> {
  const sets = await findSets(chosen.folders);
  const retrieval: RetrievalReport[] = [];
  const scores: Scores[] = [];
  const { folders, modes, maxQueries, seed } = chosen;
  const service = await startService({ env, ...(chosen.dataDir === undefined ? {} : { dataDir: chosen.dataDir }) });
  try {
    for (const set of ofKind(sets, 'retrieval')) {
      console.log(`${set.name}: ingest, then ${modes.join(', ')}`);
      const result = await evaluateRetrieval(service, set, { modes, maxQueries, seed });
      retrieval.push(result.report);
      scores.push(...result.scores);
      console.log(JSON.stringify(result.report));
    }
  } finally {
    await service.stop();
  }
  const asked = {
    folders,
    modes,
    maxQueries: Number.isFinite(maxQueries) ? maxQueries : 'all',
    seed,
    environment: env,
  };
  return { ...circumstances(), settings: asked, retrieval, scores };
}

function ofKind(sets: readonly EvaluationSet[], kind: EvaluationSet['kind']): EvaluationSet[] {
  return sets.filter((set) => set.kind === kind);
}

async function writeReport({ output }: Settings, report: Report, name: string): Promise<void> {
  await writeFile(join(output, name), `${JSON.stringify(report)}\n`);
  for (const [file, svg] of Object.entries(plotsOf(report))) await writeFile(join(output, file), svg);
  console.log(`\n${retrievalTable(report)}\n\nwritten to ${join(output, name)}`);
}

async function compare(
  { output, resamples, seed }: Settings,
  first: readonly Scores[],
  second: readonly Scores[],
): Promise<void> {
  const compared = compareScores(first, second, { resamples, seed });
  if (compared.length === 0) throw new Error('the two have no set, mode and query in common');
  await writeFile(join(output, 'comparison.json'), `${JSON.stringify(compared, null, 2)}\n`);
  console.log(`\n${comparisonTable(compared)}\n\n* significant at 95 % alone, ** also among all of these (Holm)`);
}
