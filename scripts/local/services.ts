import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '@semantic-memory/runtime/config';
import { freePort } from '@semantic-memory/runtime/free-port';
import { tiers } from '@semantic-memory/shared/contracts/jobs';
import { findChroma } from './chroma-binary.ts';
import { chromaProgram } from './chroma-server.ts';
import type { Program } from './program.ts';
import { findRedis } from './redis-binary.ts';
import { redisProgram } from './redis-server.ts';
import { rememberedPort, rememberPort } from './remembered-port.ts';

/** One program to keep running, and how it is asked for before each start. */
export interface Service {
  name: string;
  makeProgram: (restart: number) => Promise<Program>;
  /** Where its metrics are now, undefined before its start; missing for a program that has none. */
  metricsAddress?: () => string | undefined;
  graceMs: number;
}

const repository = fileURLToPath(new URL('../../', import.meta.url));
/**
 * A smaller nursery for new objects: some 20 MB less in each of seven processes than by default. With 2 MB it was collected
 * so often that it took a tenth of their time, with 8 a twentieth.
 */
const NODE_FLAGS = ['--max-semi-space-size=8'];
const SERVER_GRACE_MS = 10_000;
/** A cold machine with two busy cores takes seconds to load a process; much more means that it hangs. */
const READY_WITHIN_MS = 120_000;
/** What a process may need beyond its own grace, which for the API includes open requests, to notice and to exit. */
const EXIT_MS = 7_000;

/** Our own Redis, its data and its port kept in the folder. `url` is known once it runs. */
export function redisService(dataDir: string, say: (message: string) => void): Service & { url: () => string } {
  const { program, port } = serverWithPort('redis', dataDir, async (directory, port) =>
    redisProgram(await findRedis(say), directory, port),
  );
  return { name: 'redis', makeProgram: program, graceMs: SERVER_GRACE_MS, url: () => `redis://127.0.0.1:${port()}` };
}

/** Our own Chroma, likewise. */
export function chromaService(dataDir: string, say: (message: string) => void): Service & { port: () => number } {
  const { program, port } = serverWithPort('chroma', dataDir, async (directory, port) =>
    chromaProgram(await findChroma(say), directory, port),
  );
  return { name: 'chroma', makeProgram: program, graceMs: SERVER_GRACE_MS, port };
}

/**
 * Chooses the port at the first start: the one of last time, where it is free. Once it served there it stays, since the
 * other processes know it.
 */
function serverWithPort(
  name: string,
  dataDir: string,
  make: (directory: string, port: number) => Promise<Program>,
): { program: (restart: number) => Promise<Program>; port: () => number } {
  let port: number | undefined;
  return {
    async program(restart) {
      if (restart === 0) port = await rememberedPort(dataDir, name);
      const chosen = port as number;
      const program = await make(join(dataDir, name), chosen);
      return {
        ...program,
        async isReady() {
          const serves = await program.isReady();
          if (serves) await rememberPort(dataDir, name, chosen);
          return serves;
        },
      };
    },
    port() {
      if (port === undefined) throw new Error(`${name} has no port before it was started`);
      return port;
    },
  };
}

/** The API, and one worker process a tier. `env` is what all of them get beside our own environment. */
export function ownServices(config: Config, env: Record<string, string>): Service[] {
  const graceMs = Number(env.DRAIN_MS ?? 0) + config.shutdownGraceMs + EXIT_MS;
  const ours = (name: string, main: string, host: string, more: Record<string, string>): Service => {
    let metricsAddress: string | undefined;
    return {
      name,
      graceMs,
      metricsAddress: () => metricsAddress,
      async makeProgram() {
        const metricsPort = await freePort();
        metricsAddress = addressOf({ host, port: metricsPort });
        const address = more.PORT === undefined ? metricsAddress : addressOf({ host, port: Number(more.PORT) });
        return {
          name,
          command: process.execPath,
          args: [...NODE_FLAGS, main],
          cwd: repository,
          env: {
            ...env,
            ...more,
            HOST: host,
            METRICS_PORT: String(metricsPort),
            LOG_FORMAT: 'json',
            EXIT_WITH_PARENT: 'true',
          },
          isReady: () => isLive(address),
          readyWithinMs: READY_WITHIN_MS,
          explainFailure: (line) => (line.includes('EADDRINUSE') ? 'port_taken' : undefined),
        };
      },
    };
  };
  return [
    ours('api', 'apps/api/dist/main.js', config.host, { PORT: String(config.port) }),
    // Nobody but us asks a worker anything.
    ...tiers.map((tier) => ours(`worker-${tier}`, 'apps/worker/dist/main.js', '127.0.0.1', { TIERS: tier })),
  ];
}

/** Where this machine reaches the API: one that listens on all addresses is asked at the loopback one. */
export function addressOf(config: Pick<Config, 'host' | 'port'>): string {
  const everywhere = config.host === '0.0.0.0' || config.host === '::';
  const host = everywhere ? '127.0.0.1' : config.host.includes(':') ? `[${config.host}]` : config.host;
  return `http://${host}:${config.port}`;
}

/** A process that runs is kept, also while what it depends on is away: only readiness speaks of that. */
const isLive = (address: string) => answersOk(`${address}/health/live`);
export const isApiReady = (address: string): Promise<boolean> => answersOk(`${address}/health/ready`);

async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
