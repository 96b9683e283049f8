import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const startWithinMs = 60_000;
const linesKept = 200;

/** One process of the API or of the workers, run from its sources; the same one can be started again. */
export interface Replica {
  readonly name: string;
  /** Resolves once it says that it has started. */
  start(): Promise<void>;
  /** The exit status, or the signal where that ended it. */
  readonly exited: Promise<number | string | null>;
  /** Resolves as `exited` does. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | string | null>;
  /** The last lines that it has logged, over all its starts. */
  readonly output: readonly string[];
}

export function createReplica(name: string, app: 'api' | 'worker', env: Readonly<Record<string, string>>): Replica {
  const output: string[] = [];
  let child: ChildProcess | undefined;
  let exited: Promise<number | string | null> = Promise.resolve(null);
  return {
    name,
    output,
    get exited() {
      return exited;
    },
    start() {
      const started = spawn(process.execPath, ['--conditions=development', `apps/${app}/src/main.ts`], {
        cwd: repository,
        env: { PATH: process.env.PATH, METRICS_PORT: '0', EXIT_WITH_PARENT: 'true', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child = started;
      exited = new Promise((resolve) => started.once('exit', (code, signal) => resolve(code ?? signal)));
      return new Promise((resolve, reject) => {
        const fail = (why: string) => reject(new Error(`${name} did not start: ${why}\n${output.join('\n')}`));
        const timer = setTimeout(() => fail('it took too long'), startWithinMs);
        void exited.then((how) => fail(`it ended with ${how}`)).finally(() => clearTimeout(timer));
        for (const stream of [started.stdout, started.stderr]) {
          createInterface({ input: stream }).on('line', (line) => {
            output.push(line);
            if (output.length > linesKept) output.shift();
            if (!line.includes(`"${app} started"`)) return;
            clearTimeout(timer);
            resolve();
          });
        }
      });
    },
    end(signal) {
      child?.kill(signal);
      return exited;
    },
  };
}
