import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { accept, freshScope, nextTime } from '@semantic-memory/shared/testing/ledger-fixtures';
import { lexicalIndexSuite } from '@semantic-memory/shared/testing/lexical-index-suite';
import { Redis } from 'ioredis';
import { ledgerKeys } from './keys.ts';
import { createRedisLedger } from './ledger.ts';
import { createRedisLexicalIndex } from './lexical-index.ts';
import { openRedisLink } from './testing/redis-link.ts';

const url = process.env.TEST_REDIS_URL ?? '';
const prefix = `lexical-test-${process.pid}`;
const ledger = createRedisLedger({ url, prefix });
const lexical = createRedisLexicalIndex({ url, prefix });
let redis: Redis;
beforeAll(async () => {
  redis = new Redis(url);
  await ledger.rebuildOnce(async () => {});
});
afterAll(() => Promise.all([ledger.close(), lexical.close(), redis.quit()]));

lexicalIndexSuite('the lexical index in Redis', () => ({ lexical, ledger }));

const entry = (word: string) => ({ terms: new Map([[word, 1]]), length: 1 });

async function commit(scope: ReturnType<typeof freshScope>, documentId: string, word: string): Promise<void> {
  const { version } = await accept(ledger, scope, documentId);
  const prepared = await lexical.prepare(scope, [entry(word)]);
  await ledger.activateVersion(scope, documentId, version, nextTime(), {}, prepared);
}

test('a reader that is further behind than the log goes starts afresh', async () => {
  const scope = freshScope();
  await commit(scope, 'a', 'sea');
  const reader = createRedisLexicalIndex({ url, prefix });
  try {
    expect((await reader.read(scope, ['sea'])).count).toBe(1);
    await commit(scope, 'b', 'sea');
    await commit(scope, 'c', 'sea');
    await redis.del(ledgerKeys(prefix).namespace(scope).lexicalLog);
    const postings = await reader.read(scope, ['sea']);
    expect([postings.count, postings.lists[0]?.length, postings.rangeOf('c')?.base]).toEqual([3, 3, 2]);
  } finally {
    await reader.close();
  }
});

test('a reader notices that Redis was emptied', async () => {
  const scope = freshScope();
  await commit(scope, 'a', 'sea');
  expect((await lexical.read(scope, ['sea'])).count).toBe(1);
  const keys = await redis.keys(`${prefix}:*`);
  await redis.del(keys);
  await expect(lexical.read(scope, ['sea'])).rejects.toMatchObject({ code: 'rebuilding' });
  await ledger.rebuildOnce(async () => {});
  expect((await lexical.read(scope, ['sea'])).count).toBe(0);
  await commit(scope, 'b', 'sea');
  const postings = await lexical.read(scope, ['sea']);
  expect([postings.count, postings.lists[0]?.length, postings.addressOf(0)?.documentId]).toEqual([1, 1, 'b']);
});

test('lists that outgrow the memory they may take are read again when they are asked for', async () => {
  const scope = freshScope();
  const reader = createRedisLexicalIndex({ url, prefix, cacheBytes: 8 });
  try {
    for (const id of ['a', 'b', 'c', 'd', 'e']) await commit(scope, id, id === 'e' ? 'ship' : 'sea');
    for (let round = 0; round < 3; round += 1) {
      expect((await reader.read(scope, ['sea'])).lists[0]?.length).toBe(4);
      expect((await reader.read(scope, ['ship'])).lists[0]?.length).toBe(1);
    }
  } finally {
    await reader.close();
  }
});

test('reads at the same time agree, while others write', async () => {
  const scope = freshScope();
  const reader = createRedisLexicalIndex({ url, prefix });
  try {
    const seen: number[] = [];
    await Promise.all([
      ...Array.from({ length: 15 }, (_, at) => commit(scope, `d${at}`, 'sea')),
      ...Array.from({ length: 30 }, async () => {
        const postings = await reader.read(scope, ['sea', 'ship']);
        seen.push(postings.count);
      }),
    ]);
    const postings = await reader.read(scope, ['sea']);
    expect([postings.count, postings.lists[0]?.length]).toEqual([15, 15]);
    expect(Math.max(...seen)).toBeLessThanOrEqual(15);
  } finally {
    await reader.close();
  }
});

test('versions that were written together are switched on one by one, a long one among them', async () => {
  const scope = freshScope();
  const sizes = { a: 2, b: 300, c: 1, d: 3 };
  const written = await Promise.all(
    Object.entries(sizes).map(async ([id, chunks]) => {
      const { version } = await accept(ledger, scope, id);
      const prepared = await lexical.prepare(scope, Array<ReturnType<typeof entry>>(chunks).fill(entry('sea')));
      return { id, version, prepared };
    }),
  );
  const taken = written.flatMap(({ prepared: { base, lengths } }) => lengths.map((_, at) => base + at));
  expect(new Set(taken).size).toBe(306);
  for (const { id, version, prepared } of written) {
    if (id !== 'c') await ledger.activateVersion(scope, id, version, nextTime(), {}, prepared);
  }
  const { count, lists, lengths, rangeOf } = await lexical.read(scope, ['sea']);
  expect([count, lists[0]?.length, rangeOf('c'), rangeOf('d')?.count]).toEqual([305, 306, undefined, 3]);
  expect([...(lists[0] ?? [])].filter((posting) => lengths[posting >>> 5])).toHaveLength(305);
});

test('texts that come at the same time are appended to a list together', async () => {
  const scope = freshScope();
  const written = await Promise.all(Array.from({ length: 50 }, () => lexical.prepare(scope, [entry('sea')])));
  expect((await redis.strlen(ledgerKeys(prefix).namespace(scope).postingsOf('sea').list)) / 4).toBe(50);
  // One claim is one write.
  expect(new Set(written.map(({ claim }) => claim)).size).toBe(1);
});

test('postings that writers at the same time appended in another order are found all the same', async () => {
  const scope = freshScope();
  const reader = createRedisLexicalIndex({ url, prefix });
  const { shelf, field } = ledgerKeys(prefix).namespace(scope).postingsOf('sea');
  try {
    for (const id of ['a', 'b', 'c', 'd']) await commit(scope, id, 'sea');
    const [a, b, c, d] = [0, 1, 2, 3].map((at) => at * 4);
    const bytes = (await redis.hgetBuffer(shelf, field)) ?? Buffer.alloc(0);
    const inOrder = (...places: (number | undefined)[]) =>
      Buffer.concat(places.map((at = 0) => bytes.subarray(at, at + 4)));
    await redis.hset(shelf, field, inOrder(c));
    expect((await reader.read(scope, ['sea'])).lists[0]).toHaveLength(1);
    await redis.hset(shelf, field, inOrder(c, d, a, b));
    const terms = [{ term: 'sea', weight: 1, common: false }];
    const { hits } = await reader.rank(scope, { terms, limit: 10, required: ['sea'], documents: new Set(['b']) });
    expect(hits.map(({ documentId }) => documentId)).toEqual(['b']);
    expect((await reader.rank(scope, { terms, limit: 10, required: ['sea'] })).hits).toHaveLength(4);
  } finally {
    await reader.close();
  }
});

test('a reader notices that a list it knows was written anew with less in it', async () => {
  const scope = freshScope();
  const reader = createRedisLexicalIndex({ url, prefix });
  const { shelf, field } = ledgerKeys(prefix).namespace(scope).postingsOf('sea');
  try {
    for (const id of ['a', 'b', 'c']) await commit(scope, id, 'sea');
    expect((await reader.read(scope, ['sea'])).lists[0]).toHaveLength(3);
    await ledger.removeDocument(scope.tenant, 'a');
    const bytes = (await redis.hgetBuffer(shelf, field)) ?? Buffer.alloc(0);
    await redis.hset(shelf, field, bytes.subarray(4));
    // As long as before by now, so that its length alone says nothing.
    await commit(scope, 'd', 'sea');
    const postings = await reader.read(scope, ['sea']);
    const holders = [...(postings.lists[0] ?? [])].map((posting) => postings.addressOf(posting >>> 5)?.documentId);
    expect(holders).toEqual(['b', 'c', 'd']);
  } finally {
    await reader.close();
  }
});

test('a term moves from its shelf to a list when it is rare no more, and every reader goes on', async () => {
  const scope = freshScope();
  const { list, shelf, field } = ledgerKeys(prefix).namespace(scope).postingsOf('sea');
  const late = createRedisLexicalIndex({ url, prefix });
  const places: string[] = [];
  try {
    for (let count = 1; count <= 20; count += 1) {
      await commit(scope, `d${count}`, 'sea');
      expect((await lexical.read(scope, ['sea', 'ship'])).lists.map((each) => each.length)).toEqual([count, 0]);
      if (count % 9 === 0) expect((await late.read(scope, ['sea'])).lists[0]).toHaveLength(count);
      const [few, many] = [await redis.hstrlen(shelf, field), await redis.strlen(list)];
      expect(few + many).toBe(count * 4);
      places.push(few > 0 ? 'shelf' : 'list');
    }
    expect(places).toEqual([...new Array(16).fill('shelf'), ...new Array(4).fill('list')]);
  } finally {
    await late.close();
  }
});

test('a list has no room to spare before it is long', async () => {
  const scope = freshScope();
  const { list } = ledgerKeys(prefix).namespace(scope).postingsOf('sea');
  const spare: number[] = [];
  for (let count = 1; count <= 12; count += 1) {
    await lexical.prepare(scope, Array<ReturnType<typeof entry>>(100).fill(entry('sea')));
    spare.push(Number(await redis.memory('USAGE', list)) - (await redis.strlen(list)));
  }
  // Of 400 bytes to 4,000 what a key takes and the next size of the allocator: an eighth or so.
  for (const [at, bytes] of spare.slice(0, 10).entries()) expect(bytes).toBeLessThan(200 + (at + 1) * 100);
  const { lists } = await lexical.read(scope, ['sea']);
  expect(new Set(lists[0]).size).toBe(1200);
});

test('no word of a text is to be seen in Redis', async () => {
  const scope = freshScope();
  await commit(scope, 'a', 'scanarywordx');
  const keys = await redis.keys(`${prefix}:*`);
  expect(keys.filter((key) => key.includes('canaryword'))).toEqual([]);
});

test('a Redis that came back with older data gives nobody another’s ordinals', async () => {
  const scope = freshScope();
  const { lexicalClaims, lexicalState } = ledgerKeys(prefix).namespace(scope);
  const { version } = await accept(ledger, scope, 'a');
  const lost = await lexical.prepare(scope, [entry('sea')]);
  await redis.del(lexicalClaims, lexicalState);
  const activation = ledger.activateVersion(scope, 'a', version, nextTime(), {}, lost);
  await expect(activation).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect((await ledger.getDocument(scope.tenant, 'a'))?.activeVersion).toBe(0);
  const again = await lexical.prepare(scope, [entry('sea')]);
  await ledger.activateVersion(scope, 'a', version, nextTime(), {}, again);
  expect((await lexical.read(scope, ['sea'])).count).toBe(1);
});

test('a reader whose connection was broken starts afresh: the server may know less than before', async () => {
  const scope = freshScope();
  const link = await openRedisLink(url);
  const reader = createRedisLexicalIndex({ url: link.url, prefix });
  try {
    await commit(scope, 'a', 'sea');
    await commit(scope, 'b', 'sea');
    expect((await reader.read(scope, ['sea'])).count).toBe(2);
    // As a server that lost its last writes: b was never switched on, and something else was.
    const names = ledgerKeys(prefix).namespace(scope);
    await redis.hdel(names.lexicalDocuments, 'b');
    await redis.setrange(names.lexicalLengths, 2, '\0\0');
    await redis.hset(names.lexicalState, { n: 1, sum: 1, ver: 1 });
    await redis.del(names.lexicalLog);
    await commit(scope, 'c', 'sea');
    link.cut();
    link.restore();
    const postings = await untilAnswered(() => reader.read(scope, ['sea']));
    expect([postings.count, postings.rangeOf('b'), postings.rangeOf('c')?.version]).toEqual([2, undefined, 1]);
  } finally {
    await reader.close();
    await link.close();
  }
});

async function untilAnswered<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === 100) throw error;
      await delay(20);
    }
  }
}
