import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The whole service as `make up` starts it, without the samples, on free ports and in a folder of its own. */
export interface OwnService {
  readonly url: string;
  readonly token: string;
  readonly dataDir: string;
  /** Ends it in order and removes its folder; again, it only tells. @returns the exit status */
  stop(): Promise<number | null>;
}

/** @throws Error with all that it printed, where it does not start */
export async function startOwnService(): Promise<OwnService> {
  const dataDir = await mkdtemp(join(tmpdir(), 'semantic-memory-own-'));
  const child = spawn(process.execPath, ['--conditions=development', 'scripts/up.ts', '--no-samples'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, NODE_OPTIONS: '', PORT: '0', METRICS_PORT: '0', DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
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
  return {
    url: (line('console') ?? '').replace(/\/$/, ''),
    token: line('token') ?? '',
    dataDir,
    async stop() {
      child.kill('SIGINT');
      const status = await exited;
      await rm(dataDir, { recursive: true, force: true });
      return status;
    },
  };
}
