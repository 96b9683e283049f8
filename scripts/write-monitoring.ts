import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dashboards } from './dashboards/all.ts';
import { renderDashboard } from './dashboards/render.ts';

/**
 * Writes docs/dashboards, and copies them and docs/alerts into the chart, which can only read what lies in it. Then
 * `make format`, for JSON is formatted too.
 */
const repository = fileURLToPath(new URL('..', import.meta.url));

for (const dashboard of dashboards) {
  const text = `${JSON.stringify(renderDashboard(dashboard), null, 2)}\n`;
  await writeFile(join(repository, 'docs/dashboards', `${dashboard.name}.json`), text);
}
for (const [kind, ending] of [
  ['dashboards', '.json'],
  ['alerts', '.yaml'],
] as const) {
  const [from, to] = [join(repository, 'docs', kind), join(repository, 'helm', kind)];
  await rm(to, { recursive: true, force: true });
  await mkdir(to);
  const files = (await readdir(from)).filter((file) => file.endsWith(ending) && file !== 'schema.json');
  for (const file of files) await copyFile(join(from, file), join(to, file));
}
