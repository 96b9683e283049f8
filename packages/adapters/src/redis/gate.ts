import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { Redis } from 'ioredis';
import { withRedis } from './connection.ts';
import type { LedgerKeys } from './keys.ts';
import { runScript, runScriptForBytes, type Script, script } from './script.ts';

/*
 * An emptied Redis must not look like a memory without documents. One key, the epoch, says that the ledger is whole; it
 * goes with everything else. Every script looks for it in the same step as it acts, so nothing is written into an empty
 * ledger; every read looks after it has read, so that what it did not find is not said to be absent.
 */

/** What speaks to the ledger's keys. */
export interface LedgerAccess {
  readonly redis: Redis;
  readonly keys: LedgerKeys;
  /** Of the process that is rebuilding: the only one that may read and write while there is no epoch. */
  readonly rebuilderToken?: string | undefined;
}

/** What Redis answers to a script that finds no epoch; mapped to `rebuilding`. */
const refusal = 'REBUILDING';

/**
 * A script of the ledger. Beside its own it gets two keys (epoch, rebuilder) and one argument (the rebuilder's token, or
 * ''), behind all others. A rebuilder is refused once it has lost its right, also where another has finished.
 */
export const ledgerScript = (lua: string): Script =>
  script(`
if ARGV[#ARGV] == '' then
  if redis.call('EXISTS', KEYS[#KEYS - 1]) == 0 then return redis.error_reply('${refusal} the ledger is not whole') end
elseif redis.call('GET', KEYS[#KEYS]) ~= ARGV[#ARGV] then
  return redis.error_reply('${refusal} another process rebuilds the ledger')
end
${lua}`);

/** @param options.bytes texts in the answer come as bytes */
export function runLedgerScript(
  { redis, keys, rebuilderToken }: LedgerAccess,
  run: Script,
  scriptKeys: readonly string[],
  args: readonly (string | number | Buffer)[],
  { bytes = false }: { readonly bytes?: boolean } = {},
): Promise<unknown> {
  return withRedis(redis, async () => {
    try {
      const send = bytes ? runScriptForBytes : runScript;
      return await send(redis, run, [...scriptKeys, keys.epoch, keys.rebuilder], [...args, rebuilderToken ?? '']);
    } catch (error) {
      throw isRefusal(error) ? notWhole(error) : error;
    }
  });
}

/**
 * Reads from the ledger. The look for the epoch travels with a single command in one packet, and comes after it.
 * @throws MemoryError `rebuilding` where the ledger is not whole
 */
export function readLedger<Result>(access: LedgerAccess, read: (redis: Redis) => Promise<Result>): Promise<Result> {
  return withRedis(access.redis, async (redis) => {
    const [result] = await Promise.all([read(redis), assertWhole(access)]);
    return result;
  });
}

/** As `readLedger`, for what takes several round trips: the look comes after the last. */
export function readLedgerAtLength<Result>(
  access: LedgerAccess,
  read: (redis: Redis) => Promise<Result>,
): Promise<Result> {
  return withRedis(access.redis, async (redis) => {
    const result = await read(redis);
    await assertWhole(access);
    return result;
  });
}

/** @throws MemoryError `rebuilding` */
export async function assertWhole({ redis, keys, rebuilderToken }: LedgerAccess): Promise<void> {
  if (rebuilderToken !== undefined) return;
  if ((await redis.exists(keys.epoch)) === 0) throw notWhole();
}

const isRefusal = (error: unknown): boolean => error instanceof Error && error.message.startsWith(refusal);

function notWhole(cause?: unknown): MemoryError {
  return new MemoryError('rebuilding', 'The service is rebuilding its ledger from the blob store.', {
    hint: 'Nothing is lost. Ask again in a moment.',
    cause,
  });
}
