import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bootstrap } from './bootstrap.ts';
import { renderReport } from './render-report.ts';

/** The whole service, started as `make up` starts it, on free ports and in a folder of its own. */
let dataDir: string;
let url: string;
let token: string;
let stop: () => Promise<number | null>;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'semantic-memory-samples-'));
  const child = spawn(process.execPath, ['--conditions=development', 'scripts/up.ts', '--no-samples'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, NODE_OPTIONS: '', PORT: '0', METRICS_PORT: '0', DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  stop = async () => {
    child.kill('SIGINT');
    return exited;
  };
  const output: string[] = [];
  const line = (name: string) => output.map((text) => new RegExp(`^${name}: (\\S+)`).exec(text)?.[1]).find(Boolean);
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (text) => {
        output.push(text);
        if (line('token') !== undefined) resolve();
      });
    }
    void exited.then((status) => reject(new Error(`the service ended with ${status}:\n${output.join('\n')}`)));
  });
  url = line('console') ?? '';
  token = line('token') ?? '';
}, 180_000);

afterAll(async () => {
  expect(await stop()).toBe(0);
  await rm(dataDir, { recursive: true });
}, 60_000);

test('the sample library comes out as it must, and again when it is ingested again', async () => {
  const first = await bootstrap({ url, token, dataDir });
  // The report says what is off.
  expect(renderReport(first)).toContain('everything is as it must be');
  expect(first.documents.length).toBeGreaterThanOrEqual(15);
  const second = await bootstrap({ url, token, dataDir });
  expect(renderReport(second)).toContain('everything is as it must be');
  expect(second.counts).toEqual(first.counts);
}, 600_000);
