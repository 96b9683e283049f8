import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@semantic-memory/runtime/free-port';
import { type Tier, tiers } from '@semantic-memory/shared/contracts/jobs';
import { answersOk, answersPing } from '../../server-answers.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { type Command, type ManagedProcess, manageProcess, type ProcessEvents } from './managed-process.ts';
import { type ModelEndpoint, startModelEndpoint } from './model-endpoint.ts';
import { startReaper } from './reaper.ts';

/** How a server of the machine is started: found by whoever starts the run. */
export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly port: number;
  readonly dataDir: string;
}

export interface FleetSettings {
  readonly folder: string;
  readonly jwtSecret: string;
  readonly redis: ServerCommand;
  readonly chroma: ServerCommand;
  readonly events: ProcessEvents;
}

/** Who is cut off where a line fails: both sides of the service have lines of their own. */
export type Side = 'api' | 'worker';
export const sides: readonly Side[] = ['api', 'worker'];

/** The whole service, several-fold, with a faulty line between it and everything that it depends on. */
export interface Fleet {
  readonly blobDir: string;
  readonly redis: ManagedProcess & { readonly port: number; readonly dataDir: string };
  readonly chroma: ManagedProcess & { readonly port: number; readonly dataDir: string };
  readonly apis: readonly (ManagedProcess & { readonly url: string })[];
  readonly workers: Readonly<Record<Tier, readonly ManagedProcess[]>>;
  readonly lines: Readonly<Record<Side, Readonly<Record<'redis' | 'chroma' | 'model', FaultProxy>>>>;
  readonly model: ModelEndpoint;
  stop(): Promise<void>;
}

const repository = fileURLToPath(new URL('../../../../..', import.meta.url));
const copies = 2;
/** A smaller nursery for new objects: fourteen processes share the machine. */
const nodeFlags = ['--max-semi-space-size=2'];
const graceMs = 20_000;

export async function startFleet(settings: FleetSettings): Promise<Fleet> {
  const blobDir = join(settings.folder, 'blobs');
  const logs = join(settings.folder, 'logs');
  await mkdir(logs, { recursive: true });
  const reaper = startReaper(join(settings.folder, 'processes'));
  const events: ProcessEvents = {
    onUnexpectedEnd: settings.events.onUnexpectedEnd,
    onSpawn(name, pid) {
      reaper.add(pid);
      settings.events.onSpawn(name, pid);
    },
  };
  const manage = (command: Command) => manageProcess(command, join(logs, `${command.name}.log`), events);
  const server = (
    name: string,
    { command, args, env = {}, port, dataDir }: ServerCommand,
    isReady: Command['isReady'],
  ) => Object.assign(manage({ name, command, args, env, isReady }), { port, dataDir });

  const redis = server('redis', settings.redis, () => answersPing(settings.redis.port));
  const chroma = server('chroma', settings.chroma, () =>
    answersOk(`http://127.0.0.1:${settings.chroma.port}/api/v2/heartbeat`),
  );
  await Promise.all([redis.start(), chroma.start()]);
  const model = await startModelEndpoint();
  const modelPort = Number(new URL(model.url).port);
  const linesOf = async () => ({
    redis: await startFaultProxy(settings.redis.port),
    chroma: await startFaultProxy(settings.chroma.port),
    model: await startFaultProxy(modelPort),
  });
  const lines = { api: await linesOf(), worker: await linesOf() };

  const common = (side: Side) => ({
    DATA_DIR: settings.folder,
    BLOB_DIR: blobDir,
    REDIS_URL: `redis://127.0.0.1:${lines[side].redis.port}`,
    CHROMA_HOST: '127.0.0.1',
    CHROMA_PORT: String(lines[side].chroma.port),
    CHROMA_SSL: 'false',
    JWT_SECRET: settings.jwtSecret,
    OPENAI_BASE_URL: `http://127.0.0.1:${lines[side].model.port}/v1`,
    OPENAI_API_KEY: model.keys[side],
    HOST: '127.0.0.1',
    LOG_FORMAT: 'json',
    DRAIN_MS: '0',
    EXIT_WITH_PARENT: 'true',
    EMBED_PROCESSES: '1',
    OCR_PROCESSES: '1',
    NODE_OPTIONS: '',
  });
  const ours = (name: string, main: string, port: number, env: Record<string, string>): ManagedProcess =>
    manage({
      name,
      command: process.execPath,
      args: [...nodeFlags, main],
      cwd: repository,
      env,
      isReady: () => answersOk(`http://127.0.0.1:${port}/health/live`),
    });

  const apis: (ManagedProcess & { readonly url: string })[] = [];
  for (let copy = 1; copy <= copies; copy += 1) {
    const port = await freePort();
    // New namespaces get their model from the API that first hears of them: the second one's is the endpoint's.
    const provider =
      copy === 1 ? { EMBEDDING_PROVIDER: 'local' } : { EMBEDDING_PROVIDER: 'openai', EMBEDDING_MODEL: model.model };
    const env = { ...common('api'), ...provider, PORT: String(port), METRICS_PORT: String(await freePort()) };
    apis.push(
      Object.assign(ours(`api-${copy}`, 'apps/api/dist/main.js', port, env), { url: `http://127.0.0.1:${port}` }),
    );
  }
  const workers = {} as Record<Tier, ManagedProcess[]>;
  for (const tier of tiers) {
    workers[tier] = [];
    for (let copy = 1; copy <= copies; copy += 1) {
      const port = await freePort();
      const env = { ...common('worker'), TIERS: tier, METRICS_PORT: String(port), EMBEDDING_PROVIDER: 'local' };
      workers[tier].push(ours(`${tier}-${copy}`, 'apps/worker/dist/main.js', port, env));
    }
  }
  const all = [...apis, ...Object.values(workers).flat()];
  await Promise.all(all.map((one) => one.start()));

  return {
    blobDir,
    redis,
    chroma,
    apis,
    workers,
    lines,
    model,
    async stop() {
      await Promise.all(all.map((one) => one.stop(graceMs)));
      await Promise.all([redis.stop(graceMs), chroma.stop(graceMs)]);
      await Promise.all(sides.flatMap((side) => Object.values(lines[side]).map((line) => line.close())));
      await model.close();
      reaper.dismiss();
    },
  };
}
