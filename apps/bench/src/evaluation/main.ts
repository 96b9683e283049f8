import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startService } from '@semantic-memory/e2e/service';
import { circumstances } from './circumstances.ts';
import { compareScores, comparisonTable } from './compare-reports.ts';
import { evaluateSets, type Results } from './evaluate-sets.ts';
import { findSets } from './find-sets.ts';
import { plotsOf, readScores, reportTables } from './report.ts';
import type { Scores } from './scores.ts';
import { readSettings, type Settings } from './settings.ts';

/**
 * Measures the quality of the whole service as `make up` runs it, on a data folder of its own, through its public API:
 * docs/evaluation.md. Its environment chooses (settings.ts).
 */
const shipped = fileURLToPath(new URL('../../evaluation-sets', import.meta.url));
const settings = readSettings(process.env, shipped);
await mkdir(settings.output, { recursive: true });
if (settings.compare) {
  const [first, second] = settings.compare;
  await compare(settings, await readScores(first), await readScores(second));
} else {
  const first = await evaluate(settings, {}, 'results');
  if (settings.against) {
    const second = await evaluate(settings, settings.against, 'results-against');
    await compare(settings, first.scores, second.scores);
  }
}

async function evaluate(
  { folders, modes, parts, maxQueries, seed, dataDir, output }: Settings,
  env: Readonly<Record<string, string>>,
  name: string,
): Promise<Results> {
  const sets = await findSets(folders);
  const service = await startService({ env, ...(dataDir === undefined ? {} : { dataDir }) });
  const offTopicFile = join(shipped, 'off-topic.jsonl');
  let results: Results;
  try {
    results = await evaluateSets(service, sets, { modes, parts, maxQueries, seed, offTopicFile, log: console.log });
  } finally {
    await service.stop();
  }
  const asked = {
    ...{
      sets: sets.map((set) => set.name),
      modes,
      parts,
      maxQueries: Number.isFinite(maxQueries) ? maxQueries : 'all',
    },
    ...{ seed, environment: env },
  };
  const file = join(output, `${name}.json`);
  await writeFile(file, `${JSON.stringify({ ...circumstances(), settings: asked, ...results })}\n`);
  if (name === 'results') {
    for (const [plot, svg] of Object.entries(plotsOf(results))) await writeFile(join(output, plot), svg);
  }
  console.log(`\n${reportTables(results)}\n\nwritten to ${file}`);
  return results;
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
