import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { LexicalEntry } from '@semantic-memory/shared/ports/lexical-index';
import { freshScope } from '@semantic-memory/shared/testing/ledger-fixtures';
import { closeRedis, openRedis, withRedis } from './connection.ts';
import { ledgerKeys } from './keys.ts';
import { createRedisLedger } from './ledger.ts';
import { createPostingsWriter } from './postings-writer.ts';
import { interruptedRedis } from './testing/interrupted-redis.ts';

const url = process.env.TEST_REDIS_URL ?? '';
const prefix = `writer-test-${process.pid}`;
const keys = ledgerKeys(prefix);
const redis = openRedis(url, { name: 'test', prefix: 'test' });
const ledger = createRedisLedger({ url, prefix });
beforeAll(async () => {
  await withRedis(redis, () => redis.ping());
  await ledger.rebuildOnce(async () => {});
});
afterAll(() => Promise.all([ledger.close(), closeRedis(redis)]));

const chunks = (count: number): LexicalEntry[] => new Array(count).fill({ terms: new Map([['sea', 1]]), length: 1 });

test('more than is written together goes in several writes, each version whole', async () => {
  const prepare = createPostingsWriter({ redis, keys });
  const scope = freshScope();
  const written = await Promise.all([200, 100, 50, 250].map((count) => prepare(scope, chunks(count))));
  expect(written.map(({ lengths }) => lengths.length)).toEqual([200, 100, 50, 250]);
  // One claim is one write.
  const [first, second, third, fourth] = written.map(({ claim }) => claim);
  expect(second).toBe(third);
  expect(new Set([first, second, fourth]).size).toBe(3);
  const ordinals = written.flatMap(({ base, lengths }) => lengths.map((_, at) => base + at));
  expect(new Set(ordinals).size).toBe(600);
});

test('where the ledger is not whole all who write together are told, and the next write is made', async () => {
  const lost = ledgerKeys(`${prefix}-not-whole`);
  const prepare = createPostingsWriter({ redis, keys: lost });
  const scope = freshScope();
  const outcomes = await Promise.allSettled([prepare(scope, chunks(1)), prepare(scope, chunks(2))]);
  for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'rebuilding' } });
  await redis.set(lost.epoch, 'e');
  expect((await prepare(scope, chunks(1))).lengths).toEqual([1]);
});

test('where Redis has forgotten the claim before all is written the version is to be written anew', async () => {
  const scope = freshScope();
  const { lexicalClaims, postingsOf } = keys.namespace(scope);
  const forgetful = interruptedRedis(redis, async (_, run) => {
    const result = await run();
    await redis.del(lexicalClaims);
    return result;
  });
  const prepare = createPostingsWriter({ redis: forgetful, keys });
  await expect(prepare(scope, chunks(1))).rejects.toMatchObject({ code: 'dependency_unavailable' });
  const { list, shelf } = postingsOf('sea');
  expect(await redis.exists(list, shelf)).toBe(0);
  expect((await createPostingsWriter({ redis, keys })(scope, chunks(1))).lengths).toEqual([1]);
});

test('a namespace that has given out all ordinals that a posting can hold says so, and writes none of another chunk', async () => {
  const scope = freshScope();
  const { lexicalState, postingsOf } = keys.namespace(scope);
  await redis.hset(lexicalState, 'next', 2 ** 27 - 2);
  const prepare = createPostingsWriter({ redis, keys });
  expect(await prepare(scope, chunks(2))).toMatchObject({ base: 2 ** 27 - 2 });
  await expect(prepare(scope, chunks(1))).rejects.toMatchObject({ code: 'internal', retry: { kind: 'never' } });
  const { shelf, field } = postingsOf('sea');
  expect((await redis.hgetBuffer(shelf, field))?.length).toBe(8);
});
