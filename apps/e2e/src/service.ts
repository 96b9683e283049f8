import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createClient } from '@semantic-memory/client/client';
import { freePort } from '@semantic-memory/runtime/free-port';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const startWithinMs = 120_000;
const linesKept = 50;

export interface ServiceOptions {
  /** Kept from an earlier start, or made and removed at the end. */
  readonly dataDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Ingests the sample library as the first `make up` does. */
  readonly samples?: boolean;
}

/** The whole service as `make up` runs it: its own Redis and Chroma, the API, one process a tier. */
export interface Service {
  readonly url: string;
  readonly metricsUrl: string;
  readonly token: string;
  readonly dataDir: string;
  readonly client: ReturnType<typeof createClient>;
  /** Process id of the one that supervises the others. */
  readonly pid: number;
  /** What it has printed so far. */
  readonly output: readonly string[];
  /** Ctrl-C; resolves with the exit status. The data stays where a `dataDir` was given. */
  stop(): Promise<number | null>;
}

/** Starts the service on free ports. @throws where it does not answer in time, with what it printed */
export async function startService(options: ServiceOptions = {}): Promise<Service> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'semantic-memory-e2e-')));
  const [port, metricsPort] = [await freePort(), await freePort()];
  const child = spawn(
    process.execPath,
    [
      '--max-semi-space-size=2',
      '--conditions=development',
      'scripts/up.ts',
      ...(options.samples ? [] : ['--no-samples']),
    ],
    {
      cwd: repository,
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        PORT: String(port),
        METRICS_PORT: String(metricsPort),
        DATA_DIR: dataDir,
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const output: string[] = [];
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const token = await tokenLine(child, output, exited);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    token,
    dataDir,
    client: createClient({ baseUrl: url, token }),
    pid: child.pid ?? -1,
    output,
    stop: async () => {
      child.kill('SIGINT');
      const status = await exited;
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
      return status;
    },
  };
}

/** Waits for the line that `make up` prints once the API answers. */
function tokenLine(child: ChildProcess, output: string[], exited: Promise<number | null>): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      child.kill('SIGTERM');
      reject(new Error(`the service did not start: ${why}\n${output.slice(-linesKept).join('\n')}`));
    };
    const timer = setTimeout(() => fail(`no token within ${startWithinMs} ms`), startWithinMs);
    void exited.then((status) => {
      clearTimeout(timer);
      fail(`it ended with status ${status}`);
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        output.push(line);
        const token = /^token: (\S+)/.exec(line)?.[1];
        if (token === undefined) return;
        clearTimeout(timer);
        resolve(token);
      });
    }
  });
}

/** The children of a process, and theirs, with what they run: from /proc. */
export async function descendants(pid: number): Promise<{ pid: number; command: string }[]> {
  const found: { pid: number; command: string }[] = [];
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  for (const child of children.trim().split(/\s+/).filter(Boolean).map(Number)) {
    const command = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '');
    found.push({ pid: child, command: command.replaceAll('\0', ' ').trim() }, ...(await descendants(child)));
  }
  return found;
}
