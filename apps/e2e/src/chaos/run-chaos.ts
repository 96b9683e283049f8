import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, createClient } from '@semantic-memory/client/client';
import { checkBlobs } from './check/check-blobs.ts';
import { checkDocuments } from './check/check-documents.ts';
import { checkEmbedding } from './check/check-embedding.ts';
import { checkEnds } from './check/check-ends.ts';
import { checkApart, checkFound } from './check/check-found.ts';
import { checkIndex } from './check/check-index.ts';
import { checkRedis } from './check/check-redis.ts';
import { settle } from './check/settle.ts';
import { driveOperations, sendPrimers } from './driver.ts';
import { injectFaults } from './faults/inject-faults.ts';
import { type ServerCommand, startFleet } from './fleet/fleet.ts';
import { pause } from './fleet/managed-process.ts';
import { createHistory } from './history.ts';
import { tenants } from './operations.ts';
import { type RunState, violate } from './run-state.ts';
import { tenantToken } from './tenant-token.ts';
import { type Checked, verdictText } from './verdict.ts';
import { openVersions, watch } from './watcher.ts';

export interface ChaosSettings {
  readonly seed: number;
  /** How long faults are injected. */
  readonly minutes: number;
  /** Names of the kinds of fault, see `faultKinds`. */
  readonly kinds: readonly string[];
  /** Operations a second. */
  readonly perSecond: number;
  /** How long everything may take to end after the last fault. */
  readonly settleMs: number;
  /** For data, logs and the history. */
  readonly folder: string;
  readonly redis: ServerCommand;
  readonly chroma: ServerCommand;
  readonly say: (line: string) => void;
}

const mostOpen = 100;
const requestMs = 20_000;
/** While all is calm, before the faults and after them, a slow machine is no fault: a request that is put off then only makes the check last longer. */
const calm = { timeoutMs: 120_000, maxRetries: 5 };
const sayEveryMs = 15_000;

/** Starts the service several-fold, breaks it, checks it, stops it. Returns whether every promise held. */
export async function runChaos(settings: ChaosSettings): Promise<boolean> {
  const { seed, minutes, folder, say } = settings;
  await mkdir(folder, { recursive: true });
  const historyPath = join(folder, 'history.jsonl');
  const startedAt = Date.now();
  const history = createHistory(historyPath, startedAt);
  const jwtSecret = randomBytes(32).toString('hex');
  const unexpected: string[] = [];
  let state: RunState | undefined;
  const fleet = await startFleet({
    folder,
    jwtSecret,
    redis: settings.redis,
    chroma: settings.chroma,
    events: {
      onUnexpectedEnd(name, how) {
        const message = `${name} ended by itself: ${how}`;
        if (state) violate(state, 'process_ended', `${message}, ${Date.now() - startedAt} ms after the start`);
        else unexpected.push(message);
      },
      onSpawn: (name, pid) => history.write({ type: 'process', name, pid }),
    },
  });
  const clientsWith = (patience: { timeoutMs: number; maxRetries: number }) =>
    new Map<string, Client[]>(
      tenants.map((tenant) => [
        tenant,
        fleet.apis.map(({ url }) => createClient({ baseUrl: url, token: tenantToken(jwtSecret, tenant), ...patience })),
      ]),
    );
  const [clients, patientClients] = [clientsWith({ timeoutMs: requestMs, maxRetries: 0 }), clientsWith(calm)];
  const running: RunState = {
    seed,
    startedAt,
    fleet,
    history,
    slots: new Map(),
    violations: [],
    faults: [],
    notes: new Map(),
    finishes: [],
    refusalsMs: [],
    calm: true,
    clientOf(tenant, api = Math.floor(Math.random() * fleet.apis.length)) {
      const client = (running.calm ? patientClients : clients).get(tenant)?.[api];
      if (!client) throw new Error(`there is no client of ${tenant} for API ${api}`);
      return client;
    },
  };
  state = running;
  for (const message of unexpected) violate(running, 'process_ended', message);
  try {
    say(`started in ${Date.now() - startedAt} ms; faults for ${minutes} minutes, seed ${seed}`);
    let checked: Checked | undefined;
    try {
      await breakIt(running, settings);
      checked = await checkIt(running, settings);
    } catch (error) {
      // A run that could not be checked has not passed.
      violate(running, 'not_checked', String((error as Error).stack ?? error));
    }
    say(verdictText(running, minutes, checked, historyPath));
    return running.violations.length === 0;
  } finally {
    state = undefined;
    await fleet.stop();
    await history.close();
  }
}

async function breakIt(state: RunState, settings: ChaosSettings): Promise<void> {
  await sendPrimers(state);
  state.calm = false;
  const until = Date.now() + settings.minutes * 60_000;
  const driving = new AbortController();
  const watching = new AbortController();
  let giveUpAt = Number.POSITIVE_INFINITY;
  const driver = driveOperations(
    state,
    {
      perSecond: settings.perSecond,
      mostOpen,
      openJobs: () => openVersions(state).length,
      giveUpAt: () => giveUpAt,
    },
    driving.signal,
  );
  const watcher = watch(state, watching.signal).catch((error: unknown) =>
    violate(state, 'not_watched', String((error as Error).stack ?? error)),
  );
  const telling = setInterval(() => settings.say(progressLine(state)), sayEveryMs);
  try {
    await Promise.all([
      injectFaults(state, 'process', settings.kinds, until),
      injectFaults(state, 'dependency', settings.kinds, until),
      pause(until - Date.now()),
    ]);
    driving.abort();
    giveUpAt = Date.now() + settings.settleMs;
    await driver;
  } finally {
    driving.abort();
    watching.abort();
    clearInterval(telling);
    await watcher;
  }
}

async function checkIt(state: RunState, settings: ChaosSettings): Promise<Checked> {
  const { say } = settings;
  state.calm = true;
  const calmAt = Date.now();
  say(`${progressLine(state)}; waiting for all to end`);
  await settle(state, settings.settleMs);
  const quietAt = Date.now();
  await checkEnds(state);
  const active = await checkDocuments(state);
  await checkIndex(state, active);
  const chunks = await checkFound(state, active);
  await checkApart(state);
  const blobs = await checkBlobs(state);
  const keys = await checkRedis(state);
  const embedding = checkEmbedding(state);
  return { chunks, blobs, keys, embedding, quietAfterMs: quietAt - calmAt, checkedInMs: Date.now() - quietAt };
}

function progressLine(state: RunState): string {
  const versions = [...state.slots.values()].flatMap((slot) => slot.versions);
  const open = openVersions(state).length;
  return `${Math.round((Date.now() - state.startedAt) / 1000)} s: ${versions.length} accepted, ${open} open, ${state.faults.length} faults, ${state.violations.length} violations`;
}
