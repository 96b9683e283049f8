import type { Redis } from 'ioredis';

/** Everything that a key holds, as text. Empty where the key is gone by now. */
export async function textsOfKey(redis: Redis, key: string): Promise<string[]> {
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
