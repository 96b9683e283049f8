import { Redis } from 'ioredis';
import { textsOfKey } from '../../texts-of-key.ts';
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
        for (const text of await textsOfKey(redis, key)) checkMarks(state, text, `key ${key} of Redis`);
      }
    }
  } finally {
    redis.disconnect();
  }
  return keys;
}
