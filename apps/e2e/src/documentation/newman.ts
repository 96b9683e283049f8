import { execFile } from 'node:child_process';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const repository = fileURLToPath(new URL('../../../..', import.meta.url));
const newman = join(repository, '.tools/newman/node_modules/newman/bin/newman.js');
const postman = join(repository, 'docs/postman');

/** What a run of the Postman collection came to. */
export interface CollectionRun {
  readonly requests: number;
  readonly assertions: number;
  /** Of requests, scripts and assertions, with where they are. */
  readonly failures: readonly string[];
}

interface Report {
  readonly run: {
    readonly stats: Readonly<Record<'requests' | 'assertions', { readonly total: number }>>;
    readonly failures: readonly {
      readonly source?: { readonly name: string };
      readonly error: { readonly test?: string; readonly message: string };
    }[];
  };
}

/** Whether Newman is there, brought where it can be. */
export async function bringNewman(): Promise<boolean> {
  await promisify(execFile)('bash', [join(repository, 'scripts/install-tools.sh'), 'newman']).catch(() => undefined);
  return access(newman).then(
    () => true,
    () => false,
  );
}

/**
 * Runs the collection of docs/postman from its first request to its last, in its local environment.
 * @param only a folder of it
 */
export async function runCollection(
  variables: Readonly<Record<string, string>>,
  only?: string,
): Promise<CollectionRun> {
  const folder = await mkdtemp(join(tmpdir(), 'semantic-memory-newman-'));
  const report = join(folder, 'report.json');
  const args = [newman, 'run', 'semantic-memory.postman_collection.json', '-e', 'local.postman_environment.json'];
  args.push('--working-dir', '.', '--reporters', 'json', '--reporter-json-export', report, '--suppress-exit-code');
  for (const [name, value] of Object.entries(variables)) args.push('--env-var', `${name}=${value}`);
  if (only !== undefined) args.push('--folder', only);
  try {
    const env = { ...process.env, NODE_OPTIONS: '' };
    await promisify(execFile)(process.execPath, args, { cwd: postman, env, timeout: 180_000 });
    const { run } = JSON.parse(await readFile(report, 'utf8')) as Report;
    return {
      requests: run.stats.requests.total,
      assertions: run.stats.assertions.total,
      failures: run.failures.map(({ source, error }) => `${source?.name}: ${error.test ?? ''} ${error.message}`),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
