import { randomBytes } from 'node:crypto';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { Ledger, LedgerRecovery } from '@semantic-memory/shared/ports/ledger';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { withRedis } from './connection.ts';
import { type LedgerAccess, readLedger } from './gate.ts';
import { runScript, script } from './script.ts';

/** How long the right to rebuild outlives a process that is gone. */
const rightMs = 15_000;
/** Keys a step of the search for leftovers. */
const scanCount = 1000;

/** KEYS rebuilder. ARGV token, life in ms. Answers whether the token still has the right. */
const renewScript = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`);

/** KEYS rebuilder, epoch. ARGV token, new epoch. Declares the ledger whole, in the same step in which the right ends. */
const openScript = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('DEL', KEYS[1])
return 1
`);

/**
 * Whether the ledger in Redis is whole, and how one process makes it so.
 * @param open gives the ledger to the process that has the right to rebuild
 */
export function createRecovery(
  access: LedgerAccess,
  { open, logger }: { open: (rebuilderToken: string) => Ledger; logger?: Logger | undefined },
): LedgerRecovery {
  const { redis, keys } = access;

  async function removeLeftovers(): Promise<void> {
    const kept = [keys.rebuilder, keys.epoch];
    let cursor = '0';
    do {
      const [next, found] = await withRedis(redis, () =>
        redis.scan(cursor, 'MATCH', `${escapeGlob(keys.root)}*`, 'COUNT', scanCount),
      );
      const leftovers = found.filter((key) => !kept.includes(key));
      if (leftovers.length > 0) await withRedis(redis, () => redis.unlink(leftovers));
      cursor = next;
    } while (cursor !== '0');
  }

  return {
    async isWhole() {
      return (await withRedis(redis, () => redis.exists(keys.epoch))) === 1;
    },

    async rebuildOnce(rebuild) {
      const token = randomBytes(16).toString('hex');
      const taken = await withRedis(redis, () => redis.set(keys.rebuilder, token, 'PX', rightMs, 'NX'));
      if (taken === null) return false;
      const lost = new AbortController();
      const renew = () =>
        withRedis(redis, () => runScript(redis, renewScript, [keys.rebuilder], [token, rightMs])).then(
          (has) => has === 1 || lost.abort(lostRight()),
          // Redis is away for a moment; the right lasts longer than that, or another takes it.
          (error: unknown) => logger?.warn('the right to rebuild could not be renewed', { error }),
        );
      const timer = setInterval(renew, rightMs / 3);
      try {
        if (await this.isWhole()) return false;
        await removeLeftovers();
        await rebuild(open(token), lost.signal);
        const epoch = randomBytes(8).toString('hex');
        const opened = await withRedis(redis, () =>
          runScript(redis, openScript, [keys.rebuilder, keys.epoch], [token, epoch]),
        );
        if (opened !== 1) throw lostRight();
        return true;
      } finally {
        clearInterval(timer);
        // Gone already where the ledger is whole; another's is left alone.
        await withRedis(redis, () => runScript(redis, releaseScript, [keys.rebuilder], [token])).catch(
          (error: unknown) => logger?.debug('the right to rebuild runs out by itself', { error }),
        );
      }
    },

    async serverStart() {
      const information = await withRedis(redis, () => redis.info('server'));
      const runId = /^run_id:(\w+)/m.exec(information)?.[1];
      if (runId === undefined) throw new MemoryError('internal', 'Redis does not say when it was started.');
      return runId;
    },

    async comparedStart() {
      return (await readLedger(access, () => redis.get(keys.compared))) ?? undefined;
    },

    async isCompared() {
      return (await this.comparedStart()) === (await this.serverStart());
    },

    async markCompared(serverStart) {
      await withRedis(redis, () => redis.set(keys.compared, serverStart));
    },
  };
}

const releaseScript = script(`if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`);

const lostRight = () => new MemoryError('rebuilding', 'Another process has taken over the rebuild of the ledger.');

const escapeGlob = (text: string) => text.replaceAll(/[*?[\]\\]/g, '\\$&');
