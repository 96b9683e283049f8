import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Scope } from '@semantic-memory/shared/contracts/model/ids';
import { accept, freshScope, nextTime } from '@semantic-memory/shared/testing/ledger-fixtures';
import { Redis } from 'ioredis';
import { ledgerKeys } from './keys.ts';
import { createRedisLedger } from './ledger.ts';
import { createRedisLexicalIndex } from './lexical-index.ts';
import { createCompactor } from './postings-compactor.ts';
import { createRewriter } from './postings-rewriter.ts';

const url = process.env.TEST_REDIS_URL ?? '';
const prefix = `compactor-test-${process.pid}`;
const keys = ledgerKeys(prefix);
const ledger = createRedisLedger({ url, prefix });
/** Follows, with copies. */
const lexical = createRedisLexicalIndex({ url, prefix });
/** Keeps no list. */
const bare = createRedisLexicalIndex({ url, prefix, cacheBytes: 0 });
let redis: Redis;
beforeAll(async () => {
  redis = new Redis(url);
  await ledger.rebuildOnce(async () => {});
});
// A pass that a slow machine did not get to the end of would be gone on with by the next test.
beforeEach(() => redis.del(keys.compactor, keys.compaction));
afterAll(() => Promise.all([ledger.close(), lexical.close(), bare.close(), redis.quit()]));

const entry = (words: string) => ({ terms: new Map(words.split(' ').map((word) => [word, 1])), length: 2 });

async function commit(scope: Scope, documentId: string, words: string, chunks = 1): Promise<void> {
  const { version } = await accept(ledger, scope, documentId);
  const prepared = await lexical.prepare(scope, new Array<ReturnType<typeof entry>>(chunks).fill(entry(words)));
  await ledger.activateVersion(scope, documentId, version, nextTime(), {}, prepared);
}

/** The documents that a reader finds by each word, and in how many postings. */
async function found(scope: Scope, reader = lexical) {
  const { lists, lengths, addressOf } = await reader.read(scope, ['sea', 'ship']);
  return lists.map((list) => {
    const holders = [...list].flatMap((one) =>
      lengths[one >>> 5] ? (addressOf(one >>> 5)?.documentId ?? 'nobody') : [],
    );
    return { documents: [...new Set(holders)].sort(), active: holders.length, postings: list.length };
  });
}

/**
 * Redis as the compactor sees it; `onCall` is told of each call before it takes place, and may do something else first. Not
 * of the looks for the epoch that go with reads.
 */
function watched(onCall: (call: number, run: () => unknown) => unknown): Redis {
  let calls = 0;
  return new Proxy(redis, {
    get(target, property) {
      const value = Reflect.get(target, property, target);
      if (typeof value !== 'function' || property === 'exists') return value;
      return (...args: unknown[]) => onCall(++calls, () => value.apply(target, args));
    },
  });
}

/**
 * Three documents, two of them replaced. Of 1 chunk each their postings lie on shelves, of 17 in lists; of 3 they move
 * from the one to the other when more is written.
 */
async function wasteful(scope: Scope, chunks = 1): Promise<void> {
  for (const id of ['a', 'b', 'c']) await commit(scope, id, 'sea ship', chunks);
  for (const id of ['b', 'c']) await commit(scope, id, 'sea', chunks);
}

async function untilDone(scope: Scope): Promise<void> {
  while (!(await lexical.compact([scope], { always: true })).done);
}

async function expectWhole(scope: Scope, chunks: number): Promise<void> {
  for (const reader of [lexical, bare]) {
    const [sea, ship] = await found(scope, reader);
    expect([sea, ship]).toMatchObject([
      { documents: ['a', 'b', 'c'], active: 3 * chunks },
      { documents: ['a'], active: chunks },
    ]);
  }
}

test.each(['before', 'after'].flatMap((when) => [1, 17].map((chunks) => ({ when, chunks }))))(
  'a crash right $when any of its calls loses nothing, and the next goes on (documents of $chunks chunks)',
  async ({ when, chunks }) => {
    let crashed = true;
    for (let last = 1; crashed; last += 1) {
      const scope = freshScope();
      await wasteful(scope, chunks);
      await found(scope);
      crashed = false;
      const dying = watched(async (call, run) => {
        // Whoever is dead does nothing any more.
        if (call > last || (call === last && when === 'before')) {
          crashed = true;
          throw new Error('killed');
        }
        const result = await run();
        if (call !== last) return result;
        crashed = true;
        throw new Error('killed');
      });
      await createCompactor({ redis: dying, keys })([scope], { always: true }).catch(() => {});
      await expectWhole(scope, chunks);
      // The lock of the dead one runs out.
      await redis.del(keys.compactor);
      await untilDone(scope);
      await expectWhole(scope, chunks);
      expect((await found(scope, bare)).map(({ postings }) => postings)).toEqual([3 * chunks, chunks]);
    }
  },
  60_000,
);

test.each([3, 17])(
  'whoever writes, replaces and deletes between any two of its calls loses nothing (documents of %d chunks)',
  async (chunks) => {
    const change = async (scope: Scope) => {
      await commit(scope, 'd', 'sea ship', chunks);
      await commit(scope, 'a', 'sea ship', chunks);
      await ledger.removeDocument(scope.tenant, 'b');
    };
    for (let moment = 1, reached = true; reached; moment += 1) {
      const scope = freshScope();
      await wasteful(scope, chunks);
      await found(scope);
      reached = false;
      const busy = watched(async (call, run) => {
        if (call === moment) {
          reached = true;
          await change(scope);
        }
        return run();
      });
      await createCompactor({ redis: busy, keys })([scope], { always: true });
      if (!reached) await change(scope);
      for (const reader of [lexical, bare])
        expect(await found(scope, reader)).toMatchObject([
          { documents: ['a', 'c', 'd'], active: 3 * chunks },
          { documents: ['a', 'd'], active: 2 * chunks },
        ]);
    }
  },
  60_000,
);

test('two at once, of which one was taken for dead, lose nothing', async () => {
  const chunks = 3;
  for (let moment = 1, reached = true; reached; moment += 1) {
    const scope = freshScope();
    await wasteful(scope, chunks);
    reached = false;
    const slow = watched(async (call, run) => {
      if (call === moment) {
        reached = true;
        await redis.del(keys.compactor);
        await untilDone(scope);
        await commit(scope, 'd', 'sea', chunks);
      }
      return run();
    });
    await createCompactor({ redis: slow, keys })([scope], { always: true });
    const documents = reached ? ['a', 'b', 'c', 'd'] : ['a', 'b', 'c'];
    expect(await found(scope, bare)).toMatchObject([
      { documents, active: documents.length * chunks },
      { documents: ['a'], active: chunks },
    ]);
  }
}, 60_000);

test('nothing is written to a namespace that began anew meanwhile', async () => {
  const scope = freshScope();
  await wasteful(scope);
  const { head, postingsOf } = keys.namespace(scope);
  const { shelf, field } = postingsOf('sea');
  const before = await redis.hgetBuffer(shelf, field);
  let renewed = false;
  const late = watched(async (_, run) => {
    const result = await run();
    if (!renewed && Array.isArray(result) && result.length === 5) {
      renewed = true;
      await redis.hset(head, 'epoch', 'another');
    }
    return result;
  });
  expect(await createCompactor({ redis: late, keys })([scope], { always: true })).toMatchObject({
    lists: 0,
    done: false,
  });
  expect([renewed, await redis.hgetBuffer(shelf, field)]).toEqual([true, before]);
});

test('what a process left that is gone for an hour is dropped, and it is told so if it was only slow', async () => {
  const scope = freshScope();
  await commit(scope, 'a', 'sea');
  const { version } = await accept(ledger, scope, 'b');
  const left = await lexical.prepare(scope, [entry('sea')]);
  await untilDone(scope);
  expect((await found(scope))[0]?.postings).toBe(2);
  const [, random] = left.claim.split('.');
  const old = `${(Date.now() - 2 * 3_600_000).toString(36)}.${random}`;
  await redis.hset(keys.namespace(scope).lexicalClaims, String(left.base), old);
  await untilDone(scope);
  expect((await found(scope))[0]?.postings).toBe(1);
  const activation = ledger.activateVersion(scope, 'b', version, nextTime(), {}, { ...left, claim: old });
  await expect(activation).rejects.toMatchObject({ code: 'dependency_unavailable' });
});

test('a namespace of which little died is left alone, and one that was compacted has nothing more to do', async () => {
  const scope = freshScope();
  await wasteful(scope);
  expect(await lexical.compact([scope])).toEqual({ lists: 0, dropped: 0, done: true });
  await redis.hset(keys.namespace(scope).lexicalState, { next: 3003 });
  expect(await lexical.compact([scope])).toMatchObject({ dropped: 4, done: true });
  expect(await lexical.compact([scope])).toEqual({ lists: 0, dropped: 0, done: true });
});

test.each([1, 17])('lists and shelves of which nothing is left are gone (documents of %d chunks)', async (chunks) => {
  const scope = freshScope();
  await commit(scope, 'a', 'sea', chunks);
  expect((await found(scope))[0]?.postings).toBe(chunks);
  await ledger.removeDocument(scope.tenant, 'a');
  await untilDone(scope);
  const { list, shelf } = keys.namespace(scope).postingsOf('sea');
  expect(await redis.exists(list, shelf)).toBe(0);
  expect((await found(scope))[0]).toEqual({ documents: [], active: 0, postings: 0 });
});

test('lists that an older release left are gone', async () => {
  const scope = freshScope();
  await commit(scope, 'a', 'sea');
  const old = `${keys.namespace(scope).lexical}t:9mKs2hQdZ-aB`;
  await redis.set(old, 'four');
  await untilDone(scope);
  expect(await redis.exists(old)).toBe(0);
  expect((await found(scope))[0]?.documents).toEqual(['a']);
});

test('one process compacts at a time', async () => {
  const scope = freshScope();
  await wasteful(scope);
  await redis.set(keys.compactor, 'another', 'PX', 60_000);
  expect(await lexical.compact([scope], { always: true })).toEqual({ lists: 0, dropped: 0, done: false });
  expect(await redis.get(keys.compactor)).toBe('another');
});

test('a pass that was told to stop goes on where it stopped', async () => {
  const scope = freshScope();
  await wasteful(scope);
  // More than one step of the walk looks at.
  const others = Array.from({ length: 3000 }, (_, at) => `${prefix}:other-${at}`);
  await redis.mset(others.flatMap((key) => [key, '']));
  const compact = createCompactor({ redis, keys });
  const first = await compact([scope], { always: true, signal: AbortSignal.abort() });
  expect(first.done).toBe(false);
  expect(JSON.parse((await redis.get(keys.compaction)) ?? '{}').cursor).not.toBe('0');
  let dropped = first.dropped;
  for (let done = false; !done; ) {
    const turn = await compact([], {});
    dropped += turn.dropped;
    done = turn.done;
  }
  expect(dropped).toBe(4);
  await expectWhole(scope, 1);
  await redis.unlink(others);
});

test('a list that is gone when it is to be read has nothing to be dropped', async () => {
  const scope = freshScope();
  const { list, shelf } = keys.namespace(scope).postingsOf('sea');
  const rewrite = createRewriter({ redis, keys });
  const namespace = { scope, grown: true, snapshot: { serverStart: '', epoch: '', live: new Uint8Array() } };
  expect(await rewrite(namespace, 'lists', [list])).toEqual({ lists: 0, dropped: 0 });
  expect(await rewrite(namespace, 'shelves', [shelf])).toEqual({ lists: 0, dropped: 0 });
});
