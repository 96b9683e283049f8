import { Redis } from 'ioredis';
import type { RunState } from '../run-state.ts';
import { checkMarks } from './check-index.ts';

const atOnce = 500;

/** No key of Redis holds text of a document that was deleted, titles and file names included. Returns how many keys. */
export async function checkRedis(state: RunState): Promise<number> {
  const redis = new Redis({ port: state.fleet.redis.port, host: '127.0.0.1' });
  let keys = 0;
  try {
    for await (const page of redis.scanStream({ count: atOnce })) {
      for (const key of page as string[]) {
        keys += 1;
        for (const text of await textsOf(redis, key)) checkMarks(state, text, `key ${key} of Redis`);
      }
    }
  } finally {
    redis.disconnect();
  }
  return keys;
}

/** Everything that a key holds, as text. Empty where the key is gone by now. */
async function textsOf(redis: Redis, key: string): Promise<string[]> {
  const type = await redis.type(key);
  switch (type) {
    case 'string':
      return [(await redis.get(key)) ?? ''];
    case 'hash':
      return Object.entries(await redis.hgetall(key)).flat();
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1');
    case 'stream':
      return (await redis.xrange(key, '-', '+')).flatMap(([, fields]) => fields);
    case 'none':
      return [];
    default:
      throw new Error(`key ${key} has the unknown type ${type}`);
  }
}
