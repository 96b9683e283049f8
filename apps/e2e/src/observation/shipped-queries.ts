import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const docs = fileURLToPath(new URL('../../../../docs/', import.meta.url));

/** A query that operators get from us, and where it stands. */
export interface ShippedQuery {
  readonly where: string;
  readonly expr: string;
}

interface DashboardFile {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

/** Every query of every panel in docs/dashboards. */
export async function panelQueries(): Promise<ShippedQuery[]> {
  const files = (await readdir(join(docs, 'dashboards'))).filter((file) => file !== 'schema.json');
  const dashboards = await Promise.all(
    files.map(async (file) => {
      const { panels }: DashboardFile = JSON.parse(await readFile(join(docs, 'dashboards', file), 'utf8'));
      return panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: `${file}: ${title}`, expr })));
    }),
  );
  return dashboards.flat();
}

interface RuleFile {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert?: string; readonly record?: string; readonly expr: string }[];
  }[];
}

export interface ShippedRules {
  /** Their absolute paths. */
  readonly files: readonly string[];
  readonly queries: readonly ShippedQuery[];
  readonly alerts: readonly string[];
  /** Metrics that rules make of others. */
  readonly recorded: readonly string[];
}

/** Every rule in docs/alerts. */
export async function alertRules(): Promise<ShippedRules> {
  const names = (await readdir(join(docs, 'alerts'))).filter((file) => file.endsWith('.yaml'));
  const files = names.map((name) => join(docs, 'alerts', name));
  const contents = await Promise.all(files.map(async (file): Promise<RuleFile> => parse(await readFile(file, 'utf8'))));
  const rules = contents.flatMap(({ groups }) => groups.flatMap((group) => group.rules));
  return {
    files,
    queries: rules.map(({ alert, record, expr }) => ({ where: alert ?? record ?? '', expr })),
    alerts: rules.flatMap(({ alert }) => alert ?? []),
    recorded: rules.flatMap(({ record }) => record ?? []),
  };
}

/** What docs/observability.md says. */
export const readObservability = () => readFile(join(docs, 'observability.md'), 'utf8');
