import { type Tier, tiers } from '@semantic-memory/shared/contracts/jobs';
import { descendants } from '../../service.ts';
import type { Dice } from '../dice.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { ManagedProcess } from '../fleet/managed-process.ts';
import { pause } from '../fleet/managed-process.ts';
import type { FaultDetails, FaultKind } from './fault.ts';

/** The tiers that do most of the work are hit most. */
const tierWeights: Record<Tier, number> = { fetch: 1, parse: 3, ocr: 2, embed: 4, index: 4, maintenance: 2 };

const aWorker = (dice: Dice) => ({ tier: dice.weighted(tierWeights), copy: dice.below(2) });
const anApi = (dice: Dice) => ({ copy: dice.below(2) });

function worker(fleet: Fleet, { tier, copy }: FaultDetails): ManagedProcess {
  const found = fleet.workers[tiers.find((name) => name === tier) ?? 'parse'][Number(copy)];
  if (!found) throw new Error(`there is no worker ${tier} ${copy}`);
  return found;
}

function api(fleet: Fleet, { copy }: FaultDetails): ManagedProcess {
  const found = fleet.apis[Number(copy)];
  if (!found) throw new Error(`there is no API ${copy}`);
  return found;
}

/** The programs of the children that are killed, by the tier whose they are. */
const childPrograms: Partial<Record<Tier, string>> = {
  parse: 'parse-child',
  ocr: 'ocr-child',
  embed: 'embedding-child',
};
const childWithinMs = 4_000;

async function killChild(fleet: Fleet, details: FaultDetails): Promise<'done' | 'missed'> {
  const program = childPrograms[details.tier as Tier] ?? '';
  const deadline = Date.now() + childWithinMs;
  while (Date.now() < deadline) {
    const { pid } = worker(fleet, details);
    const children = pid === undefined ? [] : await descendants(pid);
    // Where it is isolated, the program's name stands on the command of the one that isolates it too: the innermost.
    const child = children.findLast(({ command }) => command.includes(program));
    if (child) {
      process.kill(child.pid, 'SIGKILL');
      return 'done';
    }
    await pause(100);
  }
  return 'missed';
}

const done = 'done' as const;

type Target = typeof worker | typeof api;

const endBy =
  (target: Target, signal: 'SIGKILL' | 'SIGTERM'): FaultKind['inject'] =>
  async (fleet, details) => {
    await target(fleet, details).end(signal, 0);
    return done;
  };

const freeze =
  (target: Target): FaultKind['inject'] =>
  async (fleet, details) => {
    await target(fleet, details).freeze(Number(details.holdMs));
    return done;
  };

export const processFaults = {
  'kill-worker': {
    track: 'process',
    weight: 8,
    repeatsBatch: true,
    plan: aWorker,
    inject: endBy(worker, 'SIGKILL'),
  },
  'kill-child': {
    track: 'process',
    weight: 3,
    repeatsBatch: true,
    plan: (dice) => ({ tier: dice.pick(['parse', 'ocr', 'embed', 'embed']), copy: dice.below(2) }),
    inject: killChild,
  },
  'kill-api': {
    track: 'process',
    weight: 3,
    plan: anApi,
    inject: endBy(api, 'SIGKILL'),
  },
  'restart-worker': {
    track: 'process',
    weight: 3,
    repeatsBatch: true,
    plan: aWorker,
    inject: endBy(worker, 'SIGTERM'),
  },
  'restart-api': {
    track: 'process',
    weight: 2,
    plan: anApi,
    inject: endBy(api, 'SIGTERM'),
  },
  // Beyond the lock (15 s) and the look for stalled jobs (5 s): others take its work up, then it wakes.
  'freeze-worker': {
    track: 'process',
    weight: 3,
    repeatsBatch: true,
    plan: (dice) => ({ ...aWorker(dice), holdMs: dice.between(21_000, 30_000) }),
    inject: freeze(worker),
  },
  'freeze-api': {
    track: 'process',
    weight: 2,
    plan: (dice) => ({ ...anApi(dice), holdMs: dice.between(2_000, 9_000) }),
    inject: freeze(api),
  },
} as const satisfies Record<string, FaultKind>;
