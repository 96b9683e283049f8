import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

/** The API as a process of its own, over the real servers of the test run. */
export interface ApiProcess {
  readonly process: ChildProcess;
  /** What it logged when it had started: with `port` and `metricsPort`. Rejects where it ends before. */
  readonly ready: Promise<Record<string, unknown>>;
  readonly exit: Promise<number | null>;
  output(): string;
  kill(): Promise<void>;
}

export function spawnApi(env: Readonly<Record<string, string>>): ApiProcess {
  const started = spawn(process.execPath, ['--conditions=development', main], {
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      METRICS_PORT: '0',
      REDIS_URL: process.env.TEST_REDIS_URL,
      CHROMA_HOST: process.env.TEST_CHROMA_HOST,
      CHROMA_PORT: process.env.TEST_CHROMA_PORT,
      DRAIN_MS: '50',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const lineWith = Promise.withResolvers<Record<string, unknown>>();
  const onText = (text: Buffer) => {
    output += text.toString();
    const line = output.split('\n').find((one) => one.includes('"api started"') && one.endsWith('}'));
    if (line) lineWith.resolve(JSON.parse(line));
  };
  started.stdout.on('data', onText);
  started.stderr.on('data', onText);
  const exit = once(started, 'exit').then(([code]) => code as number | null);
  exit.then((code) => lineWith.reject(new Error(`ended with ${code} before it had started:\n${output}`)));
  // A test that waits for the end only does not wait for the start.
  lineWith.promise.catch(() => undefined);
  return {
    process: started,
    exit,
    ready: lineWith.promise,
    output: () => output,
    async kill() {
      if (started.exitCode !== null || started.signalCode !== null) return;
      started.kill('SIGKILL');
      await exit;
    },
  };
}
