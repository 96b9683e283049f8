import { fileURLToPath } from 'node:url';
import { createClient } from '@semantic-memory/client/client';
import { type Config, ConfigError, readConfig } from '@semantic-memory/runtime/config';
import { claimPort, freePort } from '@semantic-memory/runtime/free-port';
import { startMetricsServer } from '@semantic-memory/runtime/metrics-server';
import { onParentGone } from '@semantic-memory/runtime/shutdown';
import { compile } from './local/compile.ts';
import { lockDataDir } from './local/data-dir-lock.ts';
import { ingestSamples, showSampleSearch } from './local/first-start.ts';
import { demoToken, keepSecret } from './local/kept-secret.ts';
import { onMakeInterrupted } from './local/make-interrupt.ts';
import { METRICS_CONTENT_TYPE } from './local/merged-metrics.ts';
import { StartError } from './local/program.ts';
import { runEverything } from './local/run-everything.ts';
import { addressOf } from './local/services.ts';
import { createAlerts, createTerminal } from './local/terminal.ts';

/**
 * `make up`: starts everything on this machine, ingests the samples on the first start, and stays in the foreground.
 * Options: --no-samples leaves out the samples and the search.
 */
const SAMPLES = fileURLToPath(new URL('../memory/data-repo/sample-docs', import.meta.url));
const terminal = createTerminal();

async function main(): Promise<void> {
  const config = await usableConfig();
  const unlock = await lockDataDir(config.dataDir);
  const jwtSecret = config.jwtSecret ?? (await keepSecret(config.dataDir, 'jwt-secret'));
  const webhookSecret = config.webhookSecret ?? (await keepSecret(config.dataDir, 'webhook-secret'));
  const ending = new AbortController();
  terminal.say(`starting (data and logs: ${config.dataDir})`);
  await compile();

  const everything = runEverything(
    config,
    process.env,
    { JWT_SECRET: jwtSecret, WEBHOOK_SECRET: webhookSecret },
    {
      say: terminal.say,
      alert: createAlerts(terminal.say),
    },
  );
  const metrics = await startMetricsServer({
    host: config.host,
    port: config.metricsPort,
    metrics: { metricsText: everything.metricsText, contentType: METRICS_CONTENT_TYPE },
  });
  const end = async (status: number) => {
    if (ending.signal.aborted) return;
    ending.abort();
    await everything.stop();
    await metrics.close();
    await unlock();
    process.exit(status);
  };
  onSignals(
    () => {
      terminal.endProgress();
      terminal.say('stopping (once more ends it at once)');
      void end(0);
    },
    () => {
      everything.kill();
      process.exit(1);
    },
  );

  // A make that was killed could not tell us; without it nobody could stop us from its terminal.
  if (process.env.MAKELEVEL) onParentGone(() => void end(1));

  try {
    await everything.ready;
    const baseUrl = addressOf(config);
    const token = demoToken(jwtSecret, { audience: config.jwtAudience, issuer: config.jwtIssuer });
    terminal.say(`console: ${baseUrl}/`);
    terminal.say(`metrics: ${addressOf({ host: config.host, port: metrics.port })}/metrics`);
    terminal.say(`token: ${token}`);
    if (!process.argv.includes('--no-samples')) {
      await welcome(createClient({ baseUrl, token }), config, ending.signal);
    }
    terminal.say('running; Ctrl-C stops everything');
  } catch (error) {
    // While stopping, whatever was under way fails: that is no news.
    if (ending.signal.aborted) return;
    terminal.endProgress();
    tell(error);
    await end(1);
  }
}

/** The samples and the search are a welcome: what goes wrong in them is told and ends nothing. */
async function welcome(client: ReturnType<typeof createClient>, config: Config, signal: AbortSignal): Promise<void> {
  try {
    await ingestSamples({ client, terminal, samples: SAMPLES, dataDir: config.dataDir, signal });
    await showSampleSearch(client, terminal, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    terminal.endProgress();
    terminal.say(`the samples could not be ingested or searched: ${error instanceof Error ? error.message : error}`);
  }
}

async function usableConfig(): Promise<Config> {
  const read = readConfig(process.env);
  const wrong: string[] = [];
  // Claimed, since the other processes choose theirs before the API listens.
  const claim = async (name: string, port: number): Promise<number> => {
    if (port === 0) return freePort(name);
    try {
      if (!(await claimPort(port, name, read.host))) wrong.push(`${name} ${port} is taken by another program.`);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      wrong.push(`${name} ${port} of HOST ${read.host} cannot be listened on: ${code}.`);
    }
    return port;
  };
  const port = await claim('PORT', read.port);
  const both = port === read.metricsPort;
  if (both) wrong.push(`PORT and METRICS_PORT are both ${port}.`);
  const metricsPort = both ? port : await claim('METRICS_PORT', read.metricsPort);
  if (wrong.length > 0) {
    throw new StartError(
      'port_taken',
      `${wrong.join(' ')} Choose others, such as PORT=8081 METRICS_PORT=9465 make up.`,
    );
  }
  return { ...read, port, metricsPort };
}

/** The first signal asks, the second one orders. A closed terminal asks too, and so does a make that was interrupted. */
function onSignals(ask: () => void, order: () => void): void {
  let asked = false;
  const askOnce = () => {
    if (!asked) ask();
    asked = true;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => (asked ? order() : askOnce()));
  }
  onMakeInterrupted(askOnce);
}

/** Faults that we know read as sentences; of others the stack helps more. */
function tell(error: unknown): void {
  const known = error instanceof ConfigError || error instanceof StartError;
  console.error(known ? error.message : error);
}

await main().catch((error) => {
  tell(error);
  process.exit(1);
});
