import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '@semantic-memory/runtime/config';
import { endLeftovers, type Leftovers, leftoversFile } from './leftovers.ts';
import { type LogFile, openLogFile } from './log-file.ts';
import { fetchMetrics, type MetricsSource, mergeMetrics } from './merged-metrics.ts';
import { addressOf, chromaService, isApiReady, ownServices, redisService, type Service } from './services.ts';
import { type Supervised, type SupervisorDeps, supervise } from './supervisor.ts';

/** How long the servers of a killed run may take: their guards end them within 20 s. */
const LEFTOVERS_GRACE_MS = 25_000;
const READY_POLL_MS = 50;

export interface Everything {
  /** Resolves when the API answers that it is ready. Rejects where something could not be started. */
  ready: Promise<void>;
  metricsText: () => Promise<string>;
  /** Ends all processes in order: API, workers, Chroma, Redis. */
  stop: () => Promise<void>;
  /** Ends all of them at once. */
  kill: () => void;
}

export interface RunDeps {
  say: (message: string) => void;
  /** Told every line of our own processes, to show those that matter. */
  alert: (process: string, line: string) => void;
  /** The programs of ours, given the environment that they share; others in tests. */
  ownServices?: (config: Config, env: Record<string, string>) => Service[];
}

/**
 * Starts Redis and Chroma, unless configured elsewhere, then the API and the workers, and keeps all of them running.
 * @param env whose REDIS_URL and CHROMA_HOST name servers that are used instead
 */
export function runEverything(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
  secrets: Readonly<Record<'JWT_SECRET' | 'WEBHOOK_SECRET', string>>,
  deps: RunDeps,
): Everything {
  const logs = new Map<string, LogFile>();
  const stopping = new AbortController();
  let leftovers: Leftovers | undefined;
  /** In the order of their start, with the time that each may take to end. */
  const running: { service: Service; supervised: Supervised }[] = [];

  const start = async (): Promise<void> => {
    const known = await endLeftovers(leftoversFile(config.dataDir), LEFTOVERS_GRACE_MS, deps.say);
    leftovers = known;
    const supervisorDeps: SupervisorDeps = {
      say: deps.say,
      onLine(name, line) {
        logs.get(name)?.write(line);
        deps.alert(name, line);
      },
      onSpawn: (name, pid) => void known.add(name, pid),
      onGone: (name) => void known.remove(name),
    };
    const launch = (service: Service): Promise<void> => {
      stopping.signal.throwIfAborted();
      logs.set(service.name, openLogFile(join(config.dataDir, 'logs', `${service.name}.log`)));
      const supervised = supervise(service.name, service.makeProgram, supervisorDeps);
      running.push({ service, supervised });
      return supervised.ready;
    };

    const redis = env.REDIS_URL?.trim() ? undefined : redisService(config.dataDir, deps.say);
    const chroma = env.CHROMA_HOST?.trim() ? undefined : chromaService(config.dataDir, deps.say);
    await Promise.all([redis && launch(redis), chroma && launch(chroma)]);

    const shared: Record<string, string> = {
      DATA_DIR: config.dataDir,
      BLOB_DIR: config.blobDir,
      REDIS_URL: redis?.url() ?? config.redisUrl,
      CHROMA_HOST: config.chromaHost,
      CHROMA_PORT: String(chroma?.port() ?? config.chromaPort),
      ...secrets,
      // Nobody balances load over one API: it need not say for a while that it is going to end.
      DRAIN_MS: env.DRAIN_MS?.trim() || '0',
    };
    if (chroma) shared.CHROMA_SSL = 'false';
    await Promise.all((deps.ownServices ?? ownServices)(config, shared).map(launch));
    while (!(await isApiReady(addressOf(config)))) await delay(READY_POLL_MS, undefined, { signal: stopping.signal });
  };
  const ready = start();

  return {
    ready,
    metricsText: () => mergeMetrics([...sources(running), { process: 'supervisor', read: async () => own(running) }]),
    async stop() {
      stopping.abort();
      // What was being started is in the list by then, and stopped with the others.
      const end = async (which: (name: string) => boolean) =>
        Promise.all(
          running
            .filter(({ service }) => which(service.name))
            .map(({ service, supervised }) => supervised.stop(service.graceMs)),
        );
      await end((name) => name === 'api');
      await end((name) => !['api', 'redis', 'chroma'].includes(name));
      await end((name) => name === 'chroma');
      await end((name) => name === 'redis');
      await ready.catch(() => {});
      await leftovers?.written();
      await Promise.all([...logs.values()].map((log) => log.close()));
    },
    kill() {
      for (const { supervised } of running) supervised.kill();
    },
  };
}

function sources(running: readonly { service: Service; supervised: Supervised }[]): MetricsSource[] {
  return running.flatMap(({ service }) => {
    const { metricsAddress } = service;
    if (metricsAddress === undefined) return [];
    const read = async () => {
      const address = metricsAddress();
      return address === undefined ? undefined : fetchMetrics(address);
    };
    return [{ process: service.name, read }];
  });
}

/** What only the supervisor knows: its sample lines carry the name of the process in the label `program`. */
function own(running: readonly { supervised: Supervised }[]): string {
  const lines = (value: (supervised: Supervised) => number, name: string) =>
    running.map(({ supervised }) => `${name}{program="${supervised.name}"} ${value(supervised)}`);
  return [
    '# HELP supervisor_program_up Whether the program serves now.',
    '# TYPE supervisor_program_up gauge',
    ...lines((supervised) => (supervised.isUp() ? 1 : 0), 'supervisor_program_up'),
    '# HELP supervisor_program_restarts_total How often the program was started again.',
    '# TYPE supervisor_program_restarts_total counter',
    ...lines((supervised) => supervised.restarts(), 'supervisor_program_restarts_total'),
    '',
  ].join('\n');
}
