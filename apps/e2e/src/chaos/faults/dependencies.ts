import type { Dice } from '../dice.ts';
import type { LineFault } from '../fleet/fault-proxy.ts';
import { type Fleet, sides } from '../fleet/fleet.ts';
import { pause } from '../fleet/managed-process.ts';
import type { ModelFault } from '../fleet/model-endpoint.ts';
import type { FaultDetails, FaultKind } from './fault.ts';

const done = 'done' as const;

const lineFaults: Record<string, LineFault> = {
  latency: { kind: 'latency', ms: 150 },
  stall: { kind: 'stall' },
  refuse: { kind: 'refuse' },
  bandwidth: { kind: 'bandwidth', bytesPerSecond: 60_000 },
};

const aLine = (dice: Dice): FaultDetails => ({
  fault: dice.pick(['latency', 'stall', 'refuse', 'bandwidth', 'reset']),
  side: dice.pick(['api', 'worker', 'both', 'both']),
  holdMs: dice.between(3_000, 15_000),
});

const breakLine = (to: 'redis' | 'chroma' | 'model') => async (fleet: Fleet, details: FaultDetails) => {
  const lines = sides
    .filter((side) => details.side === 'both' || details.side === side)
    .map((side) => fleet.lines[side][to]);
  const fault = lineFaults[String(details.fault)];
  if (!fault) {
    for (const line of lines) line.reset();
    return done;
  }
  for (const line of lines) line.set(fault);
  await pause(Number(details.holdMs));
  for (const line of lines) line.set({ kind: 'pass' });
  return done;
};

const modelFaults: readonly ModelFault[] = ['rate-limited', 'server-error', 'stall', 'cut', 'slow'];

/** How long a server stays away: mostly a restart, now and then an outage. */
const downMs = (dice: Dice) => (dice.chance(0.25) ? dice.between(8_000, 20_000) : dice.between(0, 3_000));

export const dependencyFaults = {
  'kill-redis': {
    track: 'dependency',
    weight: 4,
    repeatsBatch: true,
    plan: (dice) => ({ downMs: downMs(dice) }),
    async inject(fleet, details) {
      await fleet.redis.end('SIGKILL', Number(details.downMs));
      return done;
    },
  },
  'freeze-redis': {
    track: 'dependency',
    weight: 2,
    repeatsBatch: true,
    plan: (dice) => ({ holdMs: dice.between(2_000, 12_000) }),
    async inject(fleet, details) {
      await fleet.redis.freeze(Number(details.holdMs));
      return done;
    },
  },
  'kill-chroma': {
    track: 'dependency',
    weight: 4,
    loses: 'chroma',
    plan: (dice) => ({ downMs: downMs(dice) }),
    async inject(fleet, details) {
      await fleet.chroma.end('SIGKILL', Number(details.downMs));
      return done;
    },
  },
  'freeze-chroma': {
    track: 'dependency',
    weight: 2,
    plan: (dice) => ({ holdMs: dice.between(3_000, 20_000) }),
    async inject(fleet, details) {
      await fleet.chroma.freeze(Number(details.holdMs));
      return done;
    },
  },
  'line-to-redis': { track: 'dependency', weight: 4, repeatsBatch: true, plan: aLine, inject: breakLine('redis') },
  'line-to-chroma': { track: 'dependency', weight: 3, plan: aLine, inject: breakLine('chroma') },
  'line-to-model': { track: 'dependency', weight: 1, repeatsBatch: true, plan: aLine, inject: breakLine('model') },
  'model-error': {
    track: 'dependency',
    weight: 2,
    repeatsBatch: true,
    plan: (dice) => ({ fault: dice.pick(modelFaults), holdMs: dice.between(3_000, 12_000) }),
    async inject(fleet, details) {
      fleet.model.set(modelFaults.find((fault) => fault === details.fault) ?? 'stall');
      await pause(Number(details.holdMs));
      fleet.model.set('none');
      return done;
    },
  },
} as const satisfies Record<string, FaultKind>;
