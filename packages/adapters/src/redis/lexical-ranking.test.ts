import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Scope } from '@semantic-memory/shared/contracts/model/ids';
import { accept, freshScope, nextTime } from '@semantic-memory/shared/testing/ledger-fixtures';
import { createRedisLedger } from './ledger.ts';
import { createRedisLexicalIndex } from './lexical-index.ts';

const url = process.env.TEST_REDIS_URL ?? '';
const prefix = `ranking-test-${process.pid}`;
const ledger = createRedisLedger({ url, prefix });
const lexical = createRedisLexicalIndex({ url, prefix });
beforeAll(() => ledger.rebuildOnce(async () => {}));
afterAll(() => Promise.all([ledger.close(), lexical.close()]));

async function commit(scope: Scope, documentId: string, ...chunks: string[]): Promise<void> {
  const { version } = await accept(ledger, scope, documentId);
  const entries = chunks.map((words) => ({
    terms: new Map(words.split(' ').map((word) => [word, 1])),
    length: words.split(' ').length,
  }));
  await ledger.activateVersion(scope, documentId, version, nextTime(), {}, await lexical.prepare(scope, entries));
}

const terms = [{ term: 'sea', weight: 1, common: false }];

test('chunks that are named get the scores that they would be ranked by, and nothing where they are not active', async () => {
  const scope = freshScope();
  await commit(scope, 'a', 'sea', 'sea and much else', 'ship');
  await commit(scope, 'b', 'the sea');
  const { hits } = await lexical.rank(scope, { terms, limit: 10 });
  const named = [...hits, { documentId: 'a', version: 1, index: 2 }, { documentId: 'b', version: 2, index: 0 }];
  expect(await lexical.score(scope, terms, named)).toEqual([...hits.map(({ score }) => score), 0, 0]);
  expect(hits).toHaveLength(3);
});

test('where no chunk is named there is nothing to score', async () => {
  expect(await lexical.score(freshScope(), terms, [])).toEqual([]);
});

test('documents that were named before are looked up anew where something has changed, and only then', async () => {
  const scope = freshScope();
  await commit(scope, 'a', 'sea');
  await commit(scope, 'b', 'sea');
  const documents = new Set(['a']);
  let looks = 0;
  const counted = new Proxy(documents, {
    get(target, property) {
      if (property === Symbol.iterator) looks += 1;
      const value = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const ranked = async () => (await lexical.rank(scope, { terms, limit: 10, documents: counted })).hits;
  expect(await ranked()).toEqual(await ranked());
  expect(looks).toBe(1);
  await commit(scope, 'a', 'the sea', 'the sea');
  expect((await ranked()).map(({ documentId, version }) => [documentId, version])).toEqual([
    ['a', 2],
    ['a', 2],
  ]);
  expect(looks).toBe(2);
});
