import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { descendants, type Service } from '@semantic-memory/e2e/service';
import { freePort } from '@semantic-memory/runtime/free-port';
import { cpuSecondsOf } from '../process-watch.ts';
import { quantile, rounded } from '../statistics.ts';

const askEveryMs = 5;

interface Start {
  readonly readyMs: number;
  readonly modelMs: number;
  readonly cpuSeconds: number;
}

/**
 * How soon one more process of the API is ready to serve, each time from its start, beside a service that is idle: until
 * `/health/ready` and until its model is loaded (`/health/started`). Processor seconds are of that process alone and are
 * stretched less than the clock where others use the machine.
 */
export async function measureColdStart({ pid }: Service, starts: number) {
  const api = (await descendants(pid)).find(({ command }) => command.includes('apps/api/dist/main.js'));
  if (!api) throw new Error('no process of the API runs');
  const [command = '', ...args] = await words(`/proc/${api.pid}/cmdline`);
  const cwd = `/proc/${api.pid}/cwd`;
  const environment = await words(`/proc/${api.pid}/environ`);
  const runs: Start[] = [];
  for (let start = 0; start < starts; start += 1) {
    const [port, metricsPort] = [await freePort(), await freePort()];
    const env = { ...asRecord(environment), PORT: String(port), METRICS_PORT: String(metricsPort) };
    const startedAt = performance.now();
    const child = spawn(command, args, { cwd, env, stdio: 'ignore' });
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await answersOk(child, `http://127.0.0.1:${port}/health/ready`);
    const readyMs = performance.now() - startedAt;
    const cpuSeconds = await cpuSecondsOf(child.pid ?? -1);
    await answersOk(child, `http://127.0.0.1:${metricsPort}/health/started`);
    runs.push({ readyMs, cpuSeconds, modelMs: performance.now() - startedAt });
    child.kill('SIGTERM');
    await exited;
  }
  const median = (of: (run: Start) => number) => rounded(quantile(runs.map(of), 0.5));
  return {
    starts,
    readyMs: median(({ readyMs }) => readyMs),
    longestReadyMs: rounded(Math.max(...runs.map(({ readyMs }) => readyMs))),
    modelLoadedMs: median(({ modelMs }) => modelMs),
    cpuSecondsUntilReady: median(({ cpuSeconds }) => cpuSeconds),
  };
}

const words = async (path: string) => (await readFile(path, 'utf8')).split('\0').filter(Boolean);

const asRecord = (lines: readonly string[]) =>
  Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));

/** @throws Error where the process ends before */
async function answersOk(child: ChildProcess, url: string): Promise<void> {
  while (child.exitCode === null) {
    const response = await fetch(url).catch(() => undefined);
    await response?.arrayBuffer();
    if (response?.ok) return;
    await delay(askEveryMs);
  }
  throw new Error(`the API ended with ${child.exitCode} before it served`);
}
