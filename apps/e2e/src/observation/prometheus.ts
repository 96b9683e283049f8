import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '@semantic-memory/runtime/free-port';
import { eventually } from '../job-end.ts';
import { answersOk } from '../server-answers.ts';

const repository = fileURLToPath(new URL('../../../..', import.meta.url));

/** A Prometheus that scrapes one address each second. */
export interface Prometheus {
  /** Asks its HTTP API, such as `query`. @returns `data` @throws with its words where it finds a fault */
  ask(path: string, parameters?: Readonly<Record<string, string>>): Promise<unknown>;
  /** How many series an expression has now. */
  series(expression: string): Promise<number>;
  stop(): Promise<void>;
}

/** The path of a Prometheus, installed where that can be; undefined where none can be had here. */
export async function findPrometheus(): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=development', 'scripts/test-prometheus-command.ts'],
    { cwd: repository, env: { ...process.env, NODE_OPTIONS: '' } },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null') ?? undefined;
}

/** @param target host and port; @param ruleFiles absolute paths */
export async function startPrometheus(
  command: string,
  target: string,
  ruleFiles: readonly string[],
): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'semantic-memory-prometheus-'));
  const address = `127.0.0.1:${await freePort()}`;
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ruleFiles,
    scrape_configs: [{ job_name: 'semantic-memory', static_configs: [{ targets: [target] }] }],
  };
  // JSON is YAML.
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const child = spawn(
    command,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
    ],
    { stdio: 'ignore' },
  );
  const exited = once(child, 'exit');
  const ask = async (path: string, parameters: Readonly<Record<string, string>> = {}): Promise<unknown> => {
    const response = await fetch(`http://${address}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const { data, error } = (await response.json()) as { data?: unknown; error?: string };
    if (error) throw new Error(error);
    return data;
  };
  await eventually(() => answersOk(`http://${address}/-/ready`), 60_000);
  return {
    ask,
    async series(query) {
      return ((await ask('query', { query })) as { result: unknown[] }).result.length;
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
