import type { Tier } from '@semantic-memory/shared/contracts/jobs';
import { riskyStages } from '@semantic-memory/shared/ingest/jobs/poison';
import type { Redis } from 'ioredis';
import { runScript, script } from '../redis/script.ts';

/** Stalls after which a job is a suspect: one can happen to any job, beside any other. */
const suspectAfter = 2;

/**
 * Jobs that were there when processes died. Which one of them it was shows when they run one after another: so a
 * process has one suspect at a time, beside jobs that are none, and only what dies while it runs alone is counted on.
 * In tiers where no document's content is at work there are no suspects.
 */
export interface Suspects {
  /** Waits for the job's turn. */
  enter(job: { readonly id: string; readonly stalled: number }): Promise<Entered>;
}

export interface Entered {
  /** How many deaths are held against the job. */
  readonly stalls: number;
  leave(): Promise<void>;
}

/** Counts the starts of suspects that did not end, beside the job itself: it goes with it. */
export interface LoneStarts {
  begin(id: string): Promise<number>;
  end(id: string): Promise<void>;
}

const countScript = script(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('HINCRBY', KEYS[1], 'loneStarts', ARGV[1])
`);

/** @param by 1 at a start, -1 at an end. @returns the starts that have not ended, this one included */
export async function countLoneStart(redis: Redis, jobKey: string, by: 1 | -1): Promise<number> {
  return (await runScript(redis, countScript, [jobKey], [by])) as number;
}

const forgiveScript = script(`
for index = 1, #KEYS do
  if redis.call('EXISTS', KEYS[index]) == 1 then
    local stalls = redis.call('HINCRBY', KEYS[index], 'stc', -1)
    if stalls + 1 >= tonumber(ARGV[1]) then redis.call('HINCRBY', KEYS[index], 'loneStarts', -1) end
  end
end
`);

/**
 * Takes back beforehand what BullMQ's stalled check (which counts in the field `stc`) will hold against jobs that a worker
 * leaves behind when it is told to end.
 */
export async function forgiveStall(redis: Redis, jobKeys: readonly string[]): Promise<void> {
  if (jobKeys.length > 0) await runScript(redis, forgiveScript, [...jobKeys], [suspectAfter]);
}

/** Turns of one process: what kills a job of one tier kills those of all that run there. */
export interface Turns {
  /** Resolves when it is the caller's turn, with what ends it. */
  take(): Promise<() => void>;
}

export function createTurns(): Turns {
  let last: Promise<void> = Promise.resolve();
  return {
    async take() {
      const before = last;
      const { promise, resolve } = Promise.withResolvers<void>();
      last = promise;
      await before;
      return resolve;
    },
  };
}

/** @param turns those of the process, shared by its tiers */
export function createSuspects(tier: Tier, starts: LoneStarts | undefined, turns: Turns): Suspects {
  const isRisky = (riskyStages as readonly Tier[]).includes(tier);
  return {
    async enter({ id, stalled }) {
      if (!isRisky || !starts || stalled < suspectAfter) return { stalls: stalled, leave: async () => {} };
      const end = await turns.take();
      try {
        const begun = await starts.begin(id);
        const leave = async () => {
          // Where the queue is away the start counts as one that did not end; it has to be one of three.
          await starts.end(id).catch(() => undefined);
          end();
        };
        return { stalls: suspectAfter + begun - 1, leave };
      } catch (error) {
        end();
        throw error;
      }
    },
  };
}
