import type { AnswerLog } from '@semantic-memory/shared/ports/answer-log';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { createChangeSignals } from './change-signals.ts';
import { closeRedis, openRedis, withRedis } from './connection.ts';
import { tenantTag } from './keys.ts';
import { runScript, script } from './script.ts';

/** See the port. */
const defaultKeepMs = 10 * 60_000;
/** A writer says every five seconds that it lives; after so long it is dead. */
const defaultSilentMs = 20_000;
/** Redis holds the ledger too: what one tenant asks must not fill it. An answer is some 20 kB, most of it its passages. */
const defaultMaxAnswers = 500;
const forgottenPerRound = 100;

/**
 * KEYS: entries, head, channel. ARGV: how many entries stand before, whether these are the last, milliseconds to keep,
 * the entries. An empty list is none: it was forgotten, or has expired.
 */
const append = script(`
local count = redis.call('LLEN', KEYS[1])
local at = tonumber(ARGV[1])
if count == 0 or count < at then return 0 end
if count > at then
  return ARGV[4] and redis.call('LINDEX', KEYS[1], at) == ARGV[4] and 1 or 0
end
if redis.call('HGET', KEYS[2], 'ended') == '1' then return 0 end
for i = 4, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
local now = redis.call('TIME')
redis.call('HSET', KEYS[2], 'alive', now[1] * 1000 + math.floor(now[2] / 1000), 'ended', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
if #ARGV >= 4 or ARGV[2] == '1' then redis.call('PUBLISH', KEYS[3], '') end
return 1
`);

/** KEYS: entries, head. ARGV: how many entries are known already. */
const read = script(`
local head = redis.call('HMGET', KEYS[2], 'ended', 'alive', 'documents')
if not head[3] then return false end
local now = redis.call('TIME')
local silent = now[1] * 1000 + math.floor(now[2] / 1000) - head[2]
return {head[1], silent, head[3], redis.call('LRANGE', KEYS[1], ARGV[1], -1)}
`);

export interface RedisAnswerLogOptions {
  readonly url: string;
  /** Begins every key. */
  readonly prefix: string;
  readonly logger?: Logger | undefined;
  readonly keepMs?: number;
  readonly silentMs?: number;
  /** Of one tenant; beyond it the oldest go. */
  readonly maxAnswers?: number;
}

/**
 * Streamed answers in Redis, where every API process finds them. Opens a connection at once, and a second one with the
 * first reader. Throws `dependency_unavailable` while Redis is away.
 */
export function createRedisAnswerLog(options: RedisAnswerLogOptions): AnswerLog {
  const { url, prefix, logger } = options;
  const { keepMs = defaultKeepMs, silentMs = defaultSilentMs, maxAnswers = defaultMaxAnswers } = options;
  const redis = openRedis(url, { name: 'answers', prefix, logger });
  const signals = createChangeSignals(() => openRedis(url, { name: 'answers-watch', prefix, logger }));
  const keysOf = (tenant: string) => answerKeys(prefix, tenant);

  async function forget(tenant: string, answerIds: readonly string[]): Promise<void> {
    if (answerIds.length === 0) return;
    const keys = keysOf(tenant);
    await withRedis(redis, () =>
      Promise.all([
        redis.unlink(answerIds.flatMap((id) => [keys.entries(id), keys.head(id)])),
        redis.zrem(keys.all, [...answerIds]),
        ...answerIds.map((id) => redis.publish(keys.changed(id), '')),
      ]),
    );
  }

  return {
    async begin(tenant, answerId, { documents, entry }) {
      const keys = keysOf(tenant);
      const tooMany = await withRedis(redis, async () => {
        const [seconds, microseconds] = await redis.time();
        const now = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
        const begun = redis
          .multi()
          .rpush(keys.entries(answerId), entry)
          .pexpire(keys.entries(answerId), keepMs)
          .hset(keys.head(answerId), { ended: '0', alive: now, documents: JSON.stringify(documents) })
          .pexpire(keys.head(answerId), keepMs);
        for (const documentId of Object.keys(documents)) {
          // Longer than any answer is written and kept.
          begun.sadd(keys.ofDocument(documentId), answerId).pexpire(keys.ofDocument(documentId), 2 * keepMs);
        }
        const results = (await begun
          .zadd(keys.all, now, answerId)
          .zremrangebyscore(keys.all, '-inf', now - 2 * keepMs)
          .pexpire(keys.all, 2 * keepMs)
          .zrange(keys.all, '0', String(-1 - maxAnswers))
          .exec())!;
        const failed = results.find(([error]) => error)?.[0];
        if (failed) throw failed;
        return results.at(-1)![1] as string[];
      });
      await forget(tenant, tooMany);
    },

    async append(tenant, answerId, at, entries, { ended }) {
      const keys = keysOf(tenant);
      const names = [keys.entries(answerId), keys.head(answerId), keys.changed(answerId)];
      const args = [at, ended ? '1' : '0', keepMs, ...entries];
      return (await withRedis(redis, () => runScript(redis, append, names, args))) === 1;
    },

    async read(tenant, answerId, after) {
      const keys = keysOf(tenant);
      const found = (await withRedis(redis, () =>
        runScript(redis, read, [keys.entries(answerId), keys.head(answerId)], [after]),
      )) as [ended: string, silentForMs: number, documents: string, entries: string[]] | null;
      if (!found) return undefined;
      const [ended, silentForMs, documents, entries] = found;
      const isOver = ended === '1';
      const abandoned = !isOver && silentForMs > silentMs;
      return { entries, ended: isOver, abandoned, documents: JSON.parse(documents) };
    },

    watch: (tenant, answerId) => withRedis(redis, () => signals.listen(keysOf(tenant).changed(answerId))),

    async forgetDocument(tenant, documentId) {
      for (;;) {
        // Taken out one by one: an answer that begins meanwhile stays in the set for the next round.
        const answerIds = await withRedis(redis, () =>
          redis.spop(keysOf(tenant).ofDocument(documentId), forgottenPerRound),
        );
        if (answerIds.length === 0) return;
        await forget(tenant, answerIds);
      }
    },

    async close() {
      await Promise.all([closeRedis(redis), signals.close()]);
    },
  };
}

function answerKeys(prefix: string, tenant: string) {
  const root = `${prefix}:answers:${tenantTag(tenant)}`;
  return {
    entries: (answerId: string) => `${root}:entries:${answerId}`,
    /** ended (0 or 1), alive (when the writer was last heard of, in milliseconds), documents (JSON). */
    head: (answerId: string) => `${root}:head:${answerId}`,
    changed: (answerId: string) => `${root}:changed:${answerId}`,
    /** The answers that were drawn from it. */
    ofDocument: (documentId: string) => `${root}:of-document:${documentId}`,
    /** answerId by when it began. */
    all: `${root}:all`,
  };
}
