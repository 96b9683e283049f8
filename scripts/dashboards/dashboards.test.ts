import { readdir, readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from '@jest/globals';
import { Ajv, type ValidateFunction } from 'ajv';
import { dashboards } from './all.ts';
import { renderDashboard } from './render.ts';

const folder = new URL('../../docs/dashboards/', import.meta.url);
const read = async (file: string) => JSON.parse(await readFile(new URL(file, folder), 'utf8'));

interface Rendered {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly description: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets: readonly { expr: string }[];
  }[];
}

let validate: ValidateFunction;

beforeAll(async () => {
  validate = new Ajv({ allowUnionTypes: true }).compile(await read('schema.json'));
}, 60_000);

test('docs/dashboards has each dashboard as it is written here, and no other', async () => {
  const files = (await readdir(folder)).filter((file) => file !== 'schema.json').sort();
  expect(files).toEqual(dashboards.map(({ name }) => `${name}.json`).sort());
  // Written anew by: node --conditions=development scripts/write-monitoring.ts
  for (const dashboard of dashboards) {
    expect(await read(`${dashboard.name}.json`)).toEqual(renderDashboard(dashboard));
  }
});

test('the chart has the dashboards and alerts of docs', async () => {
  const chart = new URL('../../helm/', import.meta.url);
  const docs = new URL('../../docs/', import.meta.url);
  for (const kind of ['dashboards/', 'alerts/']) {
    const files = async (base: URL) =>
      (await readdir(new URL(kind, base))).filter((name) => /\.(json|yaml)$/.test(name));
    const names = (await files(docs)).filter((name) => name !== 'schema.json');
    expect((await files(chart)).sort()).toEqual(names.sort());
    for (const name of names) {
      const text = async (base: URL) => readFile(new URL(kind + name, base), 'utf8');
      expect({ name, text: await text(chart) }).toEqual({ name, text: await text(docs) });
    }
  }
});

test.each(dashboards.map(({ name }) => name))('%s is what Grafana expects, with panels side by side', async (name) => {
  const dashboard: Rendered = await read(`${name}.json`);
  validate(dashboard);
  expect(validate.errors).toBeNull();
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  for (const { title, description, targets } of dashboard.panels) {
    expect(title).not.toBe('');
    expect(description.length).toBeGreaterThan(10);
    expect(targets.length).toBeGreaterThan(0);
  }
});

test.each<[string, (dashboard: Record<string, unknown>) => void]>([
  ['a title that is no text', (dashboard) => Object.assign(dashboard, { title: 7 })],
  ['a member that Grafana does not know', (dashboard) => Object.assign(dashboard, { pannels: [] })],
  ['a panel of another kind', (dashboard) => Object.assign((dashboard.panels as object[])[0] ?? {}, { type: 'pie' })],
  [
    'a query without an expression',
    (dashboard) => Object.assign((dashboard.panels as object[])[0] ?? {}, { targets: [{ refId: 'A', query: 'up' }] }),
  ],
  ['no version of the schema', (dashboard) => void delete dashboard.schemaVersion],
])('a dashboard with %s is refused', async (_, breakIt) => {
  const dashboard = await read('search.json');
  expect(validate(dashboard)).toBe(true);
  breakIt(dashboard);
  expect(validate(dashboard)).toBe(false);
});
