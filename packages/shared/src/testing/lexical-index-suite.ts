import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Scope } from '../contracts/model/ids.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { LexicalEntry, LexicalIndex } from '../ports/lexical-index.ts';
import { accept, freshScope, nextTime } from './ledger-fixtures.ts';

const entry = (words: string): LexicalEntry => {
  const terms = new Map<string, number>();
  for (const word of words.split(' ')) terms.set(word, (terms.get(word) ?? 0) + 1);
  return { terms, length: words.split(' ').length };
};

/** What every lexical index does, together with the ledger that switches it. The caller closes both. */
export function lexicalIndexSuite(
  name: string,
  open: () => { readonly lexical: LexicalIndex; readonly ledger: Ledger },
): void {
  describe(name, () => {
    let lexical: LexicalIndex;
    let ledger: Ledger;
    let scope: Scope;
    beforeEach(() => {
      ({ lexical, ledger } = open());
      scope = freshScope();
    });

    /** Accepts a version, writes its postings and makes it active. */
    async function commit(documentId: string, ...chunks: string[]): Promise<number> {
      const { version } = await accept(ledger, scope, documentId);
      const prepared = await lexical.prepare(scope, chunks.map(entry));
      await ledger.activateVersion(scope, documentId, version, nextTime(), { chunks: chunks.length }, prepared);
      return version;
    }

    /** `documentId@version#index:frequency` of the active chunks with a term, in order. */
    async function holders(term: string, reader = lexical, of = scope): Promise<string[]> {
      const postings = await reader.read(of, [term]);
      return [...(postings.lists[0] ?? [])]
        .filter((posting) => postings.lengths[posting >>> 5])
        .map((posting) => {
          const address = postings.addressOf(posting >>> 5);
          return `${address?.documentId}@${address?.version}#${address?.index}:${posting & 31}`;
        })
        .sort();
    }

    test('a namespace that nothing was written to is empty', async () => {
      const postings = await lexical.read(scope, ['a', 'b']);
      expect([postings.count, postings.lengths.length, postings.lists.map((list) => list.length)]).toEqual([
        0,
        0,
        [0, 0],
      ]);
      expect(await lexical.count(scope)).toBe(0);
      expect(await lexical.versions(scope)).toEqual(new Map());
    });

    test('chunks are found by their words once their version is active, and not before', async () => {
      const { version } = await accept(ledger, scope, 'd');
      const prepared = await lexical.prepare(scope, [entry('sea sea ship'), entry('sea')]);
      expect(await holders('sea')).toEqual([]);
      expect(await lexical.count(scope)).toBe(0);
      await ledger.activateVersion(scope, 'd', version, nextTime(), {}, prepared);
      expect(await holders('sea')).toEqual(['d@1#0:2', 'd@1#1:1']);
      expect(await holders('ship')).toEqual(['d@1#0:1']);
      const { count, totalLength, rangeOf } = await lexical.read(scope, []);
      expect([count, totalLength, rangeOf('d')?.count, rangeOf('d')?.version]).toEqual([2, 4, 2, 1]);
      expect(await lexical.count(scope)).toBe(2);
    });

    test('a new version takes the place of the one before in one step', async () => {
      await commit('d', 'old words', 'more old words');
      await commit('e', 'words');
      expect(await holders('words')).toEqual(['d@1#0:1', 'd@1#1:1', 'e@1#0:1']);
      await commit('d', 'new words');
      expect(await holders('words')).toEqual(['d@2#0:1', 'e@1#0:1']);
      expect(await holders('old')).toEqual([]);
      const { count, totalLength } = await lexical.read(scope, []);
      expect([count, totalLength]).toEqual([2, 3]);
      expect(await lexical.versions(scope)).toEqual(
        new Map([
          ['d', 2],
          ['e', 1],
        ]),
      );
    });

    test('a version that comes too late switches nothing on', async () => {
      const first = await accept(ledger, scope, 'd');
      await commit('d', 'second');
      const late = await lexical.prepare(scope, [entry('first')]);
      expect((await ledger.activateVersion(scope, 'd', first.version, nextTime(), {}, late)).outcome).toBe(
        'superseded',
      );
      expect(await holders('first')).toEqual([]);
      expect(await holders('second')).toEqual(['d@2#0:1']);
    });

    test('a commit that is repeated after a crash counts everything once', async () => {
      const version = await commit('d', 'sea', 'sea');
      const again = await lexical.prepare(scope, [entry('sea'), entry('sea')]);
      await ledger.activateVersion(scope, 'd', version, nextTime(), {}, again);
      await ledger.activateVersion(scope, 'd', version, nextTime(), {}, again);
      expect(await holders('sea')).toEqual(['d@1#0:1', 'd@1#1:1']);
      expect(await lexical.count(scope)).toBe(2);
    });

    test('a document that is removed is gone from every list, and says how many chunks that were', async () => {
      await commit('d', 'sea', 'ship');
      await commit('e', 'sea');
      expect(await holders('sea')).toHaveLength(2);
      expect((await ledger.removeDocument(scope.tenant, 'd'))?.postings).toBe(2);
      expect(await holders('sea')).toEqual(['e@1#0:1']);
      expect(await lexical.count(scope)).toBe(1);
    });

    test('postings that were lost are switched on again for the active version only', async () => {
      const version = await accept(ledger, scope, 'd').then((job) => job.version);
      const prepared = await lexical.prepare(scope, [entry('sea')]);
      expect(await lexical.restore(scope, 'd', version, prepared)).toBe(false);
      await ledger.activateVersion(scope, 'd', version, nextTime());
      expect(await holders('sea')).toEqual([]);
      expect([(await lexical.read(scope, [])).whole, await lexical.differs(scope)]).toEqual([false, true]);
      expect(await lexical.restore(scope, 'd', version + 1, prepared)).toBe(false);
      expect(await lexical.restore(scope, 'd', version, prepared)).toBe(true);
      expect(await holders('sea')).toEqual(['d@1#0:1']);
      expect([(await lexical.read(scope, [])).whole, await lexical.differs(scope)]).toEqual([true, false]);
    });

    test('postings by other rules are not whole until they were written anew and that was said', async () => {
      await commit('a', 'sea');
      const { version } = await accept(ledger, scope, 'b');
      const prepared = await lexical.prepare(scope, [entry('sea')]);
      await ledger.activateVersion(scope, 'b', version, nextTime(), {}, { ...prepared, rules: prepared.rules - 1 });
      expect([...(await lexical.versions(scope)).keys()]).toEqual(['a']);
      expect([(await lexical.read(scope, ['sea'])).whole, await lexical.differs(scope)]).toEqual([false, true]);
      expect(await holders('sea')).toEqual(['a@1#0:1', 'b@1#0:1']);
      await commit('c', 'sea');
      expect(await lexical.differs(scope)).toBe(true);
      expect(await lexical.restore(scope, 'b', version, await lexical.prepare(scope, [entry('ship')]))).toBe(true);
      await lexical.markCurrent(scope);
      expect([(await lexical.read(scope, ['sea'])).whole, await lexical.differs(scope)]).toEqual([true, false]);
      expect([...(await lexical.versions(scope)).keys()].sort()).toEqual(['a', 'b', 'c']);
      expect(await holders('ship')).toEqual(['b@1#0:1']);
    });

    test('among the best are only chunks that hold every required term, whatever it weighs', async () => {
      await commit('a', 'sea ship', 'sea', 'ship');
      await commit('b', 'sea sea sea', 'ship sea sun');
      await commit('c', 'ship sea');
      await ledger.removeDocument(scope.tenant, 'c');
      const terms = [
        { term: 'sea', weight: 1, common: false },
        { term: 'ship', weight: 0, common: false },
        { term: 'moon', weight: 0, common: false },
      ];
      const best = async (required: string[], limit = 10) =>
        (await lexical.rank(scope, { terms, limit, required })).hits
          .map((hit) => `${hit.documentId}#${hit.index}`)
          .sort();
      expect(await best([])).toEqual(['a#0', 'a#1', 'b#0', 'b#1']);
      expect(await best(['sea', 'ship'])).toEqual(['a#0', 'b#1']);
      expect(await best(['sea', 'ship'], 1)).toEqual(['a#0']);
      expect(await best(['ship', 'moon'])).toEqual([]);
    });

    test('among the best are only the documents that are named, in the version that is active by now', async () => {
      for (const documentId of ['a', 'b', 'c']) await commit(documentId, 'sea');
      const documents = new Set(['a', 'b', 'nobody']);
      const best = async () =>
        (await lexical.rank(scope, { terms: [{ term: 'sea', weight: 1, common: false }], limit: 10, documents })).hits
          .map((hit) => `${hit.documentId}@${hit.version}`)
          .sort();
      expect(await best()).toEqual(['a@1', 'b@1']);
      await commit('b', 'sea sea');
      await ledger.removeDocument(scope.tenant, 'a');
      expect(await best()).toEqual(['b@2']);
    });

    test('compaction leaves of the lists what is or may become active, and nobody notices', async () => {
      await commit('a', 'sea ship', 'sea');
      await commit('b', 'sea ship');
      await commit('c', 'ship');
      const { version } = await accept(ledger, scope, 'd');
      const inFlight = await lexical.prepare(scope, [entry('sea sun')]);
      await commit('b', 'sea');
      await ledger.removeDocument(scope.tenant, 'c');
      const before = [await holders('sea'), await holders('ship')];
      let dropped = 0;
      for (let done = false; !done; ) {
        const turn = await lexical.compact([scope], { always: true });
        dropped += turn.dropped;
        done = turn.done;
      }
      // Both words of b's first version, and the one of c.
      expect(dropped).toBe(3);
      expect([await holders('sea'), await holders('ship')]).toEqual(before);
      const { lists } = await lexical.read(scope, ['sea', 'ship', 'sun']);
      expect(lists.map((list) => list.length)).toEqual([4, 1, 1]);
      await ledger.activateVersion(scope, 'd', version, nextTime(), {}, inFlight);
      expect(await holders('sun')).toEqual(['d@1#0:1']);
      await commit('e', 'ship');
      expect(await holders('ship')).toEqual(['a@1#0:1', 'e@1#0:1']);
    });

    test('tenants and namespaces have lists of their own', async () => {
      await commit('d', 'sea');
      expect(await holders('sea', lexical, { ...scope, namespace: 'other' })).toEqual([]);
      expect(await holders('sea', lexical, freshScope())).toEqual([]);
    });

    test('a term that occurs very often counts 31 times, and a word may be any text', async () => {
      const odd = ['日本', 'naïve', 'a:b{c} d\n', 'x'.repeat(500)];
      const { version } = await accept(ledger, scope, 'd');
      const terms = new Map([['often', 1000], ...odd.map((word) => [word, 1] as const)]);
      const prepared = await lexical.prepare(scope, [{ terms, length: 65_535 }]);
      await ledger.activateVersion(scope, 'd', version, nextTime(), {}, prepared);
      expect(await holders('often')).toEqual(['d@1#0:31']);
      for (const word of odd) expect(await holders(word)).toEqual(['d@1#0:1']);
      expect((await lexical.read(scope, [])).totalLength).toBe(65_535);
    });

    test('readers that follow see what one that starts afresh sees, whatever happened in between', async () => {
      const words = ['sea', 'ship', 'sun', 'sand', 'salt'];
      let seed = 7;
      const random = (below: number) => {
        seed = (seed * 1103515245 + 12345) % 2 ** 31;
        return Math.floor((seed / 2 ** 31) * below);
      };
      const expected = new Map<string, string[]>();
      for (let round = 0; round < 40; round += 1) {
        const id = `d${random(8)}`;
        if (random(4) === 0) {
          await ledger.removeDocument(scope.tenant, id);
          expected.delete(id);
        } else {
          const chunks = Array.from({ length: 1 + random(4) }, () =>
            Array.from({ length: 1 + random(6) }, () => words[random(5)]).join(' '),
          );
          await commit(id, ...chunks);
          expected.set(id, chunks);
        }
        const word = words[random(5)] ?? '';
        const wanted = [...expected].flatMap(([documentId, chunks]) =>
          chunks.flatMap((chunk, index) => {
            const times = chunk.split(' ').filter((other) => other === word).length;
            return times > 0 ? [`${documentId}#${index}:${times}`] : [];
          }),
        );
        const found = (await holders(word)).map((text) => text.replace(/@\d+/, ''));
        expect(found).toEqual(wanted.sort());
      }
    });

    test('writers at the same time do not lose each other’s postings', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, at) => commit(`d${at}`, `sea number${at}`, 'sea')));
      const postings = await lexical.read(scope, ['sea']);
      expect([postings.count, postings.lists[0]?.length]).toEqual([40, 40]);
      expect(await holders('number7')).toEqual(['d7@1#0:1']);
    });
  });
}
