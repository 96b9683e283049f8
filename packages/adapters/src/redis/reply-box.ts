import type { Logger } from '@semantic-memory/shared/ports/logger';
import type { ReplyBox } from '@semantic-memory/shared/ports/reply-box';
import { createChangeSignals } from './change-signals.ts';
import { closeRedis, openRedis, withRedis } from './connection.ts';
import { tenantTag } from './keys.ts';
import { runScript, script } from './script.ts';

/** A reply that nobody takes, since whoever asked is gone. */
const keepMs = 60_000;

/** KEYS: the reply, its channel. ARGV: the reply, how long to keep it. */
const leave = script(`
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('PUBLISH', KEYS[2], '')
`);

export interface RedisReplyBoxOptions {
  readonly url: string;
  /** Begins every key. */
  readonly prefix: string;
  readonly logger?: Logger | undefined;
}

/** Replies in Redis. Opens a connection at once, and a second one with the first that waits. */
export function createRedisReplyBox({ url, prefix, logger }: RedisReplyBoxOptions): ReplyBox {
  const redis = openRedis(url, { name: 'replies', prefix, logger });
  const signals = createChangeSignals(() => openRedis(url, { name: 'replies-watch', prefix, logger }));
  const keyOf = (tenant: string, id: string) => `${prefix}:replies:${tenantTag(tenant)}:${id}`;
  const channelOf = (tenant: string, id: string) => `${keyOf(tenant, id)}:changed`;
  return {
    async send(tenant, id, reply) {
      const keys = [keyOf(tenant, id), channelOf(tenant, id)];
      await withRedis(redis, () => runScript(redis, leave, keys, [reply, keepMs]));
    },
    async receive(tenant, id, signal) {
      const changes = await withRedis(redis, () => signals.listen(channelOf(tenant, id)));
      try {
        for (;;) {
          const reply = await withRedis(redis, () => redis.getdel(keyOf(tenant, id)));
          if (reply !== null) return reply;
          if (signal.aborted) return undefined;
          await changes.next(signal);
        }
      } finally {
        changes.stop();
      }
    },
    async close() {
      await Promise.all([closeRedis(redis), signals.close()]);
    },
  };
}
