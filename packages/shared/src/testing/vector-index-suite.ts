import { beforeEach, describe, expect, test } from '@jest/globals';
import type { CollectionKey, VectorHit, VectorIndex, VectorRecord } from '../ports/vector-index.ts';

const dimension = 8;

/** A unit vector that follows from its number, each unlike the others. */
function vectorOf(seed: number): Float32Array {
  const vector = Float32Array.from({ length: dimension }, (_, i) => Math.sin(seed * 12.9898 + i * 78.233 + seed * i));
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

function recordOf(documentId: string, version: number, index: number): VectorRecord {
  return {
    chunkId: `${documentId}.v${version}.${index}`,
    vector: vectorOf(documentId.length * 1_000 + version * 100 + index),
    text: `chunk ${index} of ${documentId}`,
    documentId,
    version,
    index,
    headings: [],
    start: index * 10,
    end: index * 10 + 9,
  };
}

const documentOf = (documentId: string, version: number, chunks: number) =>
  Array.from({ length: chunks }, (_, index) => recordOf(documentId, version, index));

let runs = 0;

/** What every vector index must do. `open` gives one; each test uses a tenant of its own. */
export function vectorIndexSuite(name: string, open: () => VectorIndex): void {
  describe(`the vector index ${name}`, () => {
    let index: VectorIndex;
    let key: CollectionKey;
    beforeEach(() => {
      index = open();
      runs += 1;
      key = { tenant: `suite-${process.pid}-${Date.now()}-${runs}`, namespace: 'default', model: 'model' };
    });

    test('takes a collection that does not exist for an empty one', async () => {
      expect(await index.query(key, { vector: vectorOf(1), limit: 5 })).toEqual([]);
      expect(await index.count(key)).toBe(0);
      expect(await index.countDocument(key, 'd')).toBe(0);
      expect(await index.removeDocument(key, 'd')).toBe(0);
      expect(await index.present(key, ['c'])).toEqual(new Set());
      await index.addMissing(key, []);
    });

    test('tells which versions it has records of, and how many, however many there are', async () => {
      expect((await index.versions(key)).size).toBe(0);
      await index.addMissing(key, [
        ...documentOf('long', 2, 2_100),
        ...documentOf('d@1', 1, 3),
        ...documentOf('d@1', 12, 1),
      ]);
      const found = await index.versions(key);
      expect([...found.values()].sort((a, b) => b.chunks - a.chunks)).toEqual([
        { documentId: 'long', version: 2, chunks: 2_100 },
        { documentId: 'd@1', version: 1, chunks: 3 },
        { documentId: 'd@1', version: 12, chunks: 1 },
      ]);
      expect([...found.keys()]).toContain('d@1@12');
    });

    test('removes a collection with all that it holds, and no other; written to again it is a new one', async () => {
      const history = { ...key, history: true as const };
      await index.removeCollection(key);
      await index.addMissing(key, documentOf('d', 1, 3));
      await index.addMissing(history, documentOf('d', 1, 2));
      await index.removeCollection(key);
      expect([await index.count(key), await index.count(history)]).toEqual([0, 2]);
      expect(await index.query(key, { vector: vectorOf(1), limit: 5 })).toEqual([]);
      await index.removeCollection(key);
      await index.addMissing(key, documentOf('d', 2, 1));
      expect([...(await index.versions(key)).keys()]).toEqual(['d@2']);
    });

    test('gives a record back as it was written, with the cosine', async () => {
      const record: VectorRecord = {
        ...recordOf('doc@7:a~b', 12, 3),
        text: 'Tabs\t, "quotes", 日本語, 👩‍👩‍👧 and مرحبا\n',
        page: 4,
        before: '\r\n\u00a0',
        headings: ['One', 'Two "quoted"'],
      };
      await index.addMissing(key, [record, recordOf('other', 1, 0)]);
      const [hit] = await index.query(key, { vector: record.vector, limit: 1 });
      const { vector: _, ...expected } = record;
      expect(hit).toEqual({ ...expected, similarity: expect.closeTo(1, 5) });
    });

    test('gives the vectors of those that are there', async () => {
      const records = documentOf('d', 1, 3);
      await index.addMissing(key, records);
      const found = await index.vectorsOf(key, ['d.v1.2', 'd.v1.0', 'd.v1.9']);
      expect([...found.keys()].sort()).toEqual(['d.v1.0', 'd.v1.2']);
      for (const [at, value] of records[2]?.vector.entries() ?? [])
        expect(found.get('d.v1.2')?.[at]).toBeCloseTo(value, 3);
      expect(await index.vectorsOf(key, [])).toEqual(new Map());
      expect(await index.vectorsOf({ ...key, namespace: 'none' }, ['d.v1.0'])).toEqual(new Map());
    });

    test('of chunks that are named it gives the nearest as a search among all would', async () => {
      await index.addMissing(key, [...documentOf('d', 1, 30), ...documentOf('e', 2, 30)]);
      const vector = vectorOf(7);
      const all = await index.query(key, { vector, limit: 60 });
      const chunkIds = ['d.v1.3', 'e.v2.20', 'd.v1.29', 'e.v2.7', 'nobody.v1.1'];
      const wanted = all.filter(({ chunkId }) => chunkIds.includes(chunkId));
      const expected = wanted.map((hit) => ({ ...hit, similarity: expect.closeTo(hit.similarity, 5) }));
      expect(expected).toHaveLength(4);
      const found = await index.query(key, { vector, limit: 10, chunkIds });
      expect(found.map(({ vector: _, ...hit }) => hit)).toEqual(expected);
      // Their own vectors come along.
      const own = await index.vectorsOf(key, chunkIds);
      expect(found.map((hit) => hit.vector)).toEqual(found.map(({ chunkId }) => own.get(chunkId)));
      const idsOf = (hits: readonly VectorHit[]) => hits.map(({ chunkId }) => chunkId);
      expect(idsOf(await index.query(key, { vector, limit: 2, chunkIds }))).toEqual(idsOf(wanted).slice(0, 2));
      // Compared with nothing where there is nothing to compare with.
      const read = await index.query(key, { limit: 10, chunkIds });
      const place = ({ chunkId: a }: VectorHit, { chunkId: b }: VectorHit) => (a < b ? -1 : 1);
      expect(read.toSorted(place)).toEqual(found.map((hit) => ({ ...hit, similarity: 0 })).toSorted(place));
      const ofOne = { vector, limit: 10, chunkIds, documentIds: ['e'] };
      const wantedOfOne = wanted.filter(({ documentId }) => documentId === 'e');
      expect(idsOf(await index.query(key, ofOne))).toEqual(idsOf(wantedOfOne));
    });

    test('what the asker has already comes back as he has it, the others as they were written', async () => {
      await index.addMissing(key, [...documentOf('d', 1, 10), ...documentOf('e', 2, 10)]);
      const query = { vector: vectorOf(3), limit: 12, documentIds: ['d', 'e'] };
      const whole = await index.query(key, query);
      const mine = new Map(
        whole
          .filter((_, at) => at % 3 === 0)
          .map(({ similarity: _, ...hit }) => [hit.chunkId, { ...hit, text: 'as I have it' }]),
      );
      const expected = whole.map((hit) => ({ ...hit, ...mine.get(hit.chunkId) }));
      expect(await index.query(key, { ...query, known: (id) => mine.get(id) })).toEqual(expected);
      expect(await index.query(key, { ...query, known: () => undefined })).toEqual(whole);
      const all = new Map(whole.map(({ similarity: _, ...hit }) => [hit.chunkId, hit]));
      expect(await index.query(key, { ...query, known: (id) => all.get(id) })).toEqual(whole);
    });

    test('of some documents it gives the nearest as a search among all would, be they few or many', async () => {
      await index.addMissing(key, [
        ...documentOf('d', 1, 90),
        ...documentOf('ee', 1, 90),
        ...documentOf('fff', 2, 150),
      ]);
      const vector = vectorOf(7);
      const all = await index.query(key, { vector, limit: 330 });
      for (const documentIds of [['d'], ['d', 'ee'], ['d', 'fff'], ['nobody']]) {
        const wanted = all.filter(({ documentId }) => documentIds.includes(documentId)).slice(0, 12);
        const found = await index.query(key, { vector, limit: 12, documentIds });
        expect(found.map(({ chunkId }) => chunkId)).toEqual(wanted.map(({ chunkId }) => chunkId));
      }
      const excludeVersions = ['d@1'];
      const without = await index.query(key, { vector, limit: 200, documentIds: ['d', 'ee'], excludeVersions });
      expect([without.length, new Set(without.map(({ documentId }) => documentId))]).toEqual([90, new Set(['ee'])]);
    });

    test('replaces what cannot be written in UTF-8 and keeps the length', async () => {
      await index.addMissing(key, [{ ...recordOf('d', 1, 0), text: 'a\ud800b\u0000c', headings: ['\udc00'] }]);
      const [hit] = await index.query(key, { vector: vectorOf(1), limit: 1 });
      expect(hit?.text).toBe('a\ufffdb\u0000c');
    });

    test('orders by similarity, whatever the length of the vectors', async () => {
      const at = (angle: number, length: number) =>
        Float32Array.from([Math.cos(angle) * length, Math.sin(angle) * length, 0, 0, 0, 0, 0, 0]);
      const angles = [0.9, 0.1, 2, 0.5, 3.1];
      await index.addMissing(
        key,
        angles.map((angle, i) => ({ ...recordOf('d', 1, i), vector: at(angle, i + 0.5) })),
      );
      const hits = await index.query(key, { vector: at(0, 1), limit: 10 });
      expect(hits.map((hit) => hit.index)).toEqual([1, 3, 0, 2, 4]);
      // An index may keep vectors a little less exactly; more so where they have few dimensions, as here.
      for (const hit of hits) expect(hit.similarity).toBeCloseTo(Math.cos(angles[hit.index] ?? Number.NaN), 3);
      expect(await index.query(key, { vector: at(0, 1), limit: 2 })).toHaveLength(2);
      expect(await index.query(key, { vector: at(0, 1), limit: 0 })).toEqual([]);
    });

    test('adds what is missing and leaves what is there', async () => {
      const records = documentOf('d', 1, 10);
      await index.addMissing(key, records.slice(0, 6));
      await index.addMissing(
        key,
        records.map((record) => ({ ...record, text: `rewritten ${record.index}` })),
      );
      expect(await index.count(key)).toBe(10);
      const hits = await index.query(key, { vector: vectorOf(0), limit: 10 });
      const rewritten = hits.filter((hit) => hit.text.startsWith('rewritten')).map((hit) => hit.index);
      expect(rewritten.sort()).toEqual([6, 7, 8, 9]);
    });

    test('takes an id once where a call has it twice', async () => {
      const record = recordOf('d', 1, 0);
      await index.addMissing(key, [record, record]);
      expect(await index.count(key)).toBe(1);
    });

    test('holds each record once when several writers add the same at the same time', async () => {
      const records = documentOf('d', 1, 60);
      const other = open();
      await Promise.all([
        index.addMissing(key, records),
        index.addMissing(key, records.slice(20)),
        other.addMissing(key, records.slice(0, 40)),
        other.addMissing(key, records),
      ]);
      if ((await index.count(key)) !== 60) await other.addMissing(key, records);
      expect(await index.countDocument(key, 'd')).toBe(60);
      const ids = records.map((record) => record.chunkId);
      expect(await index.present(key, [...ids, 'absent'])).toEqual(new Set(ids));
    });

    test('searches only the documents asked for', async () => {
      await index.addMissing(key, [...documentOf('aa', 1, 3), ...documentOf('bbb', 1, 3), ...documentOf('cccc', 1, 3)]);
      const found = async (documentIds: string[]) => {
        const hits = await index.query(key, { vector: vectorOf(2100), limit: 20, documentIds });
        return [...new Set(hits.map((hit) => hit.documentId))].sort();
      };
      expect(await found(['aa', 'cccc', 'absent'])).toEqual(['aa', 'cccc']);
      expect(await found(['absent'])).toEqual([]);
      expect(await found([])).toEqual([]);
      expect(await found(Array.from({ length: 1_000 }, (_, n) => (n === 500 ? 'bbb' : `absent-${n}`)))).toEqual([
        'bbb',
      ]);
    });

    test('leaves versions out, and with that finds what is behind them', async () => {
      const crowd = Array.from({ length: 50 }, (_, i) => ({ ...recordOf('d', 2, i), vector: vectorOf(1) }));
      await index.addMissing(key, [...crowd, ...documentOf('d', 1, 2), ...documentOf('e@d', 2, 1)]);
      const query = { vector: vectorOf(1), limit: 3 };
      expect((await index.query(key, query)).map((hit) => hit.version)).toEqual([2, 2, 2]);
      const live = await index.query(key, { ...query, excludeVersions: ['d@2'] });
      expect(live.map((hit) => hit.chunkId).sort()).toEqual(['d.v1.0', 'd.v1.1', 'e@d.v2.0']);
      const both = await index.query(key, { ...query, documentIds: ['d'], excludeVersions: ['d@2', 'x@1'] });
      expect(both.map((hit) => hit.chunkId).sort()).toEqual(['d.v1.0', 'd.v1.1']);
    });

    test('counts and removes one version, then the whole document, and nothing else', async () => {
      await index.addMissing(key, [...documentOf('d', 1, 4), ...documentOf('d', 2, 3), ...documentOf('d2', 1, 2)]);
      expect(await index.countDocument(key, 'd')).toBe(7);
      expect(await index.countDocument(key, 'd', 2)).toBe(3);
      expect(await index.removeDocument(key, 'd', 2)).toBe(3);
      expect(await index.removeDocument(key, 'd', 2)).toBe(0);
      expect(await index.countDocument(key, 'd')).toBe(4);
      expect(await index.removeDocument(key, 'd')).toBe(4);
      expect(await index.count(key)).toBe(2);
      const hits = await index.query(key, { vector: vectorOf(1100), limit: 10 });
      expect(new Set(hits.map((hit) => hit.documentId))).toEqual(new Set(['d2']));
    });

    test('counts and removes a selection: up to a version, or from an index on', async () => {
      await index.addMissing(
        key,
        [1, 2, 3, 12].flatMap((version) => documentOf('d@2', version, 4)),
      );
      expect(await index.countDocument(key, 'd@2', { upToVersion: 3 })).toBe(12);
      expect(await index.countDocument(key, 'd@2', { version: 3, fromIndex: 1 })).toBe(3);
      expect(await index.removeDocument(key, 'd@2', { upToVersion: 2 })).toBe(8);
      expect(await index.removeDocument(key, 'd@2', { version: 3, fromIndex: 3 })).toBe(1);
      expect(await index.countDocument(key, 'd@2', 3)).toBe(3);
      expect(await index.countDocument(key, 'd@2', 12)).toBe(4);
      expect(await index.removeDocument(key, 'd@2', { upToVersion: 12 })).toBe(7);
    });

    test('replaces records in whole: text, vector and place', async () => {
      await index.addMissing(key, documentOf('d', 1, 3));
      const replaced = { ...recordOf('d', 1, 1), vector: vectorOf(7), text: 'anew', start: 5, end: 9 };
      await index.replace(key, [replaced, recordOf('d', 1, 3)]);
      expect(await index.count(key)).toBe(4);
      const [hit] = await index.query(key, { vector: vectorOf(7), limit: 1 });
      expect(hit).toMatchObject({ chunkId: replaced.chunkId, text: 'anew', start: 5, end: 9 });
      expect(hit?.similarity).toBeCloseTo(1, 3);
    });

    test('keeps history apart, and finds in it what was active at a moment', async () => {
      const history = { ...key, history: true as const };
      const at = Date.parse('2026-03-01T00:00:00Z');
      const during = (from: number, to: number) => (record: VectorRecord) => ({
        ...record,
        active: { from: at + from, to: at + to },
      });
      await index.addMissing(key, documentOf('d', 3, 1));
      await index.addMissing(history, documentOf('d', 1, 2).map(during(0, 10)));
      await index.addMissing(history, documentOf('d', 2, 1).map(during(10, 20)));
      await index.addMissing(history, documentOf('e', 1, 1).map(during(5, 15)));
      expect(await index.count(key)).toBe(1);
      expect(await index.count(history)).toBe(4);
      const found = async (moment: number, more = {}) =>
        (await index.query(history, { vector: vectorOf(1), limit: 9, activeAt: at + moment, ...more }))
          .map((hit) => `${hit.documentId}@${hit.version}#${hit.index}`)
          .sort();
      expect(await found(-1)).toEqual([]);
      expect(await found(0)).toEqual(['d@1#0', 'd@1#1']);
      expect(await found(9)).toEqual(['d@1#0', 'd@1#1', 'e@1#0']);
      expect(await found(10)).toEqual(['d@2#0', 'e@1#0']);
      expect(await found(10, { documentIds: ['d'] })).toEqual(['d@2#0']);
      expect(await found(10, { documentIds: ['d', 'e'], excludeVersions: ['d@2'] })).toEqual(['e@1#0']);
      expect(await found(20)).toEqual([]);
      expect(await index.removeDocument(history, 'd')).toBe(3);
      expect(await index.count(key)).toBe(1);
    });

    test('keeps tenants, namespaces and models apart, however they are spelt', async () => {
      const keys = [
        { ...key, tenant: `${key.tenant}a`, namespace: 'b' },
        { ...key, tenant: key.tenant, namespace: 'ab' },
        { ...key, tenant: `${key.tenant}/x`, namespace: 'y' },
        { ...key, tenant: key.tenant, namespace: 'x/y' },
        { ...key, model: 'another' },
      ];
      for (const [n, each] of keys.entries()) await index.addMissing(each, documentOf(`d${n}`, 1, 1));
      for (const [n, each] of keys.entries()) {
        const hits = await index.query(each, { vector: vectorOf(2100), limit: 10 });
        expect(hits.map((hit) => hit.documentId)).toEqual([`d${n}`]);
      }
      expect(await index.count(key)).toBe(0);
    });

    test('finds a record as soon as adding it has returned, and no more once removing it has', async () => {
      for (let round = 1; round <= 5; round += 1) {
        const record = { ...recordOf('d', round, 0), vector: vectorOf(round) };
        await index.addMissing(key, [record]);
        expect((await index.query(key, { vector: record.vector, limit: 1 }))[0]?.version).toBe(round);
        await index.removeDocument(key, 'd', round);
        expect(await index.query(key, { vector: record.vector, limit: 1 })).toEqual([]);
      }
    });

    test('answers a query with whole records, while others come and go', async () => {
      const kept = documentOf('kept', 1, 5);
      await index.addMissing(key, kept);
      let changing = true;
      const change = async () => {
        for (let round = 1; round <= 10; round += 1) {
          await index.addMissing(key, documentOf('passing', round, 40));
          await index.removeDocument(key, 'passing');
        }
        changing = false;
      };
      const ask = async () => {
        while (changing) {
          const hits = await index.query(key, { vector: recordOf('passing', 1, 0).vector, limit: 45 });
          expect(hits.filter(({ documentId }) => documentId === 'kept')).toHaveLength(5);
          for (const hit of hits) expect(hit.text).toBe(`chunk ${hit.index} of ${hit.documentId}`);
        }
      };
      await Promise.all([change(), ask(), ask(), ask()]);
    }, 60_000);

    test('answers when asked whether it is there', async () => {
      await index.check();
    });
  });
}
