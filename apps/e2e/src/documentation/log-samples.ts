import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const page = fileURLToPath(new URL('../../../../docs/logging.md', import.meta.url));

interface Promtail {
  readonly scrape_configs: readonly {
    readonly pipeline_stages: readonly { readonly json?: { readonly expressions: Readonly<Record<string, string>> } }[];
  }[];
}

/** The fields of a line that the samples of docs/logging.md take out of it: for Promtail, and for Alloy. */
export async function sampledFields(): Promise<{ readonly promtail: string[]; readonly alloy: string[] }> {
  const text = await readFile(page, 'utf8');
  const sample = parse(/^```yaml\n(.*?)^```$/ms.exec(text)?.[1] ?? '') as Promtail;
  const stages = sample.scrape_configs.flatMap((config) => config.pipeline_stages);
  const [, expressions = ''] = /stage\.json \{\s*expressions = \{([^}]*)\}/.exec(text) ?? [];
  return {
    promtail: stages.flatMap(({ json }) => Object.values(json?.expressions ?? {})),
    alloy: [...expressions.matchAll(/= "(\w+)"/g)].map(([, field = '']) => field),
  };
}

/** The lines that our own processes have logged under `make up`. @throws where one is not JSON */
export async function loggedLines(dataDir: string): Promise<Record<string, unknown>[]> {
  const folder = join(dataDir, 'logs');
  const ours = (await readdir(folder)).filter((file) => /^(?:api|worker-\w+)\.log$/.test(file));
  const texts = await Promise.all(ours.map((file) => readFile(join(folder, file), 'utf8')));
  return texts.flatMap((text) => text.split('\n').filter((line) => line !== '')).map((line) => JSON.parse(line));
}
