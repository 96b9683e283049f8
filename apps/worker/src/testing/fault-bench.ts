import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createBullmqQueue } from '@semantic-memory/adapters/bullmq/job-queue';
import { createChromaIndex } from '@semantic-memory/adapters/chroma/vector-index';
import { createFilesystemBlobStore } from '@semantic-memory/adapters/filesystem/blob-store';
import { createRedisLedger } from '@semantic-memory/adapters/redis/ledger';
import type { Tier } from '@semantic-memory/shared/contracts/jobs';
import { isTerminal } from '@semantic-memory/shared/contracts/model/job';
import { type AcceptDeps, accept } from '@semantic-memory/shared/ingest/accept';
import { type AcceptRequest, storeOriginal } from '@semantic-memory/shared/ingest/accept-request';
import type { JobRecord } from '@semantic-memory/shared/ports/ledger';
import type { CollectionKey, VectorIndex } from '@semantic-memory/shared/ports/vector-index';
import { createFakeEmbedder } from '@semantic-memory/shared/testing/fake-embedder';
import { silentLogger, silentMetrics } from '@semantic-memory/shared/testing/in-memory-flow';
import type { FaultWorkerSettings } from './fault-worker.ts';

export interface Unit {
  readonly pid: number;
  readonly tier: string;
  readonly unit: string;
}

export interface FaultWorker {
  readonly pid: number;
  readonly process: ChildProcess;
  readonly exited: Promise<unknown>;
}

/** Workers in processes of their own, over real servers, and what they are given to do. */
export interface FaultBench {
  readonly deps: AcceptDeps;
  readonly vectors: VectorIndex;
  readonly lockMs: number;
  readonly stalledCheckMs: number;
  key(tenant?: string): CollectionKey;
  startWorker(change?: Partial<FaultWorkerSettings>): Promise<FaultWorker>;
  /** Starts a worker, and another one whenever it dies, until the bench is closed. */
  keepWorker(change?: Partial<FaultWorkerSettings>): Promise<void>;
  ingest(text: string, request?: Partial<AcceptRequest>): Promise<JobRecord>;
  job(id: string, tenant?: string): Promise<JobRecord>;
  ended(id: string, withinMs?: number, tenant?: string): Promise<JobRecord>;
  /** What the workers have done so far. */
  work(): Promise<Unit[]>;
  /** Waits until a worker has begun so many units of a tier. */
  worked(tier: Tier, units?: number): Promise<Unit[]>;
  /** From now on these pages cannot be read. */
  breakPages(pages: readonly number[]): Promise<void>;
  close(): Promise<void>;
}

const program = fileURLToPath(new URL('./fault-worker.ts', import.meta.url));
let benches = 0;

export async function createFaultBench(change: Partial<FaultWorkerSettings> = {}): Promise<FaultBench> {
  benches += 1;
  const directory = await mkdtemp(join(tmpdir(), 'semantic-memory-fault-'));
  const settings: FaultWorkerSettings = {
    redisUrl: process.env.TEST_REDIS_URL ?? '',
    prefix: `fault-${process.pid}-${Date.now()}-${benches}`,
    chromaHost: process.env.TEST_CHROMA_HOST ?? '',
    chromaPort: Number(process.env.TEST_CHROMA_PORT),
    directory,
    lockMs: 1500,
    stalledCheckMs: 500,
    sliceMs: 2000,
    unitMs: 100,
    concurrency: 4,
    ...change,
  };
  // Each bench has tenants of its own, since they share one Chroma.
  const tenantOf = (name: string) => `${settings.prefix}-${name}`;
  const { redisUrl: url, prefix } = settings;
  const ledger = createRedisLedger({ url, prefix });
  // Nothing was accepted yet.
  await ledger.rebuildOnce(async () => {});
  const queue = createBullmqQueue({ url, prefix });
  const vectors = createChromaIndex({ host: settings.chromaHost, port: settings.chromaPort, ssl: false });
  const model = createFakeEmbedder().model;
  const deps: AcceptDeps = {
    blobs: createFilesystemBlobStore(join(directory, 'blobs')),
    ledger,
    queue,
    clock: { now: Date.now },
    metrics: silentMetrics,
    logger: silentLogger,
    jobRetentionMs: 30 * 24 * 3_600_000,
    embeddingModel: model,
  };
  const workers = new Set<FaultWorker>();
  let closed = false;

  const bench: FaultBench = {
    deps,
    vectors,
    lockMs: settings.lockMs,
    stalledCheckMs: settings.stalledCheckMs,
    key: (tenant = 'acme') => ({ tenant: tenantOf(tenant), namespace: 'default', model }),
    async startWorker(more = {}) {
      const child = spawn(
        process.execPath,
        ['--conditions=development', program, JSON.stringify({ ...settings, ...more })],
        { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } },
      );
      const exited = once(child, 'exit');
      const worker = { pid: child.pid ?? -1, process: child, exited };
      workers.add(worker);
      void exited.then(() => workers.delete(worker));
      await Promise.race([
        once(child.stdout, 'data'),
        exited.then(() => Promise.reject(new Error('the worker ended at its start'))),
      ]);
      return worker;
    },
    async keepWorker(more) {
      const worker = await bench.startWorker(more);
      void worker.exited.then(() => (closed ? undefined : bench.keepWorker(more)));
    },
    async ingest(text, request = {}) {
      const tenant = tenantOf(request.tenant ?? 'acme');
      const original = await storeOriginal(deps, tenant, bytesOf(text), 1e7);
      return accept(deps, {
        namespace: 'default',
        metadata: {},
        priority: 'normal',
        options: {},
        source: { type: 'upload', filename: 'a.txt' },
        declaredMediaType: 'text/plain',
        original,
        ...request,
        tenant,
      });
    },
    async job(id, tenant = 'acme') {
      const job = await ledger.getJob(tenantOf(tenant), id);
      if (!job) throw new Error(`there is no job ${id}`);
      return job;
    },
    ended: (id, withinMs = 20_000, tenant = 'acme') =>
      until(
        async () => {
          const job = await bench.job(id, tenant);
          return isTerminal(job.state) ? job : undefined;
        },
        withinMs,
        async () => JSON.stringify(await bench.job(id, tenant)),
      ),
    async work() {
      const log = await readFile(join(directory, 'work.log'), 'utf8').catch(() => '');
      return log
        .split('\n')
        .filter(Boolean)
        .map((line) => {
          const [pid, tier = '', ...unit] = line.split(' ');
          return { pid: Number(pid), tier, unit: unit.join(' ') };
        });
    },
    worked: (tier, units = 1) =>
      until(async () => {
        const done = (await bench.work()).filter((unit) => unit.tier === tier);
        return done.length >= units ? done : undefined;
      }, 20_000),
    breakPages: (pages) => writeFile(join(directory, 'bad-pages'), pages.join(',')),
    async close() {
      closed = true;
      for (const worker of workers) {
        worker.process.kill('SIGKILL');
        await worker.exited;
      }
      await Promise.all([ledger.close(), queue.close()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
  return bench;
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** Waits for an answer other than undefined. @throws after `withinMs`, with what `explain` says */
export async function until<Answer>(
  ask: () => Promise<Answer | undefined>,
  withinMs: number,
  explain: () => Promise<string> = async () => '',
): Promise<Answer> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`it did not come about within ${withinMs} ms ${await explain()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
