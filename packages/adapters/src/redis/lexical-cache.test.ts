import { beforeEach, expect, test } from '@jest/globals';
import { createLexicalCache, type KnownPostings } from './lexical-cache.ts';

let dropped: ArrayBufferLike[];
beforeEach(() => {
  dropped = [];
});
const createCache = (maxBytes: number) => createLexicalCache(maxBytes, (memory) => dropped.push(memory));
type Cache = ReturnType<typeof createCache>;

const bytes = (numbers: readonly number[]) => Buffer.from(Uint32Array.from(numbers).buffer);
const lengthsOf = (count: number) => Buffer.from(new Uint16Array(count).fill(3).buffer);
const text = (value: string | number) => Buffer.from(`${value}`);

interface Read {
  readonly ver: number;
  readonly lists: readonly (readonly number[])[];
  /** A document of so many chunks: all is told anew. */
  readonly afresh?: number;
  /** Else the changes since. */
  readonly entries?: readonly { readonly ver: number; readonly base: number; readonly count: number }[];
  readonly epoch?: string;
}

/** What Redis answers to a read. */
function answer({ ver, lists, afresh, entries = [], epoch = 'e' }: Read): unknown {
  const log = entries.map(({ ver: at, base, count }) => [
    text(`${at}-0`),
    Object.entries({ id: `d${base}`, off: '', on: base, onCount: count, version: 1 })
      .flatMap(([name, value]) => [text(name), text(value)])
      .concat([text('lengths'), lengthsOf(count)]),
  ]);
  const count = text(100 + ver);
  const all = [text(epoch), text(ver), count, count];
  const tails = lists.map(bytes);
  return afresh === undefined
    ? [...all, 0, log, [], 1, [], ...tails]
    : [...all, 1, lengthsOf(afresh), [text('d'), text(`0 ${afresh} 1`)], 1, [], ...tails];
}

function read(cache: Cache, id: string, terms: readonly string[], what: Read): KnownPostings | undefined {
  return cache.take(id, terms, cache.known(id, terms).lists, answer(what));
}

const start: Read = { ver: 1, afresh: 4, lists: [[1, 33]] };

test('of two reads at the same time the later one finds what both have brought, once', () => {
  const cache = createCache(1e6);
  read(cache, 'n', ['sea'], start);
  const [first, second] = [cache.known('n', ['sea']), cache.known('n', ['sea'])];
  const change = { ver: 2, base: 4, count: 1 };
  cache.take('n', ['sea'], first.lists, answer({ ver: 2, entries: [change], lists: [[129]] }));
  const postings = cache.take('n', ['sea'], second.lists, answer({ ver: 2, entries: [change], lists: [[129, 161]] }));
  expect([...(postings?.lists[0] ?? [])]).toEqual([1, 33, 129, 161]);
  expect([postings?.lengths.length, postings?.count]).toEqual([5, 102]);
});

test('an answer that is older than what is known takes nothing back', () => {
  const cache = createCache(1e6);
  read(cache, 'n', ['sea'], start);
  const early = cache.known('n', ['sea']);
  read(cache, 'n', ['sea'], { ver: 2, entries: [{ ver: 2, base: 4, count: 1 }], lists: [[]] });
  const postings = cache.take('n', ['sea'], early.lists, answer({ ver: 1, lists: [[]] }));
  expect([postings?.count, postings?.lengths.length]).toEqual([102, 5]);
});

test('an answer that does not follow on what is known has to be asked for again', () => {
  const cache = createCache(1e6);
  read(cache, 'n', ['sea'], start);
  const gap = [{ ver: 3, base: 4, count: 1 }];
  expect(read(cache, 'n', ['sea'], { ver: 3, entries: gap, lists: [[]] })).toBeUndefined();
  expect(read(cache, 'n', ['sea'], { ver: 1, epoch: 'another', lists: [[]] })).toBeUndefined();
  // All was told anew between the question and the answer: the tail is one of another list.
  const early = cache.known('n', ['sea']);
  read(cache, 'n', ['sea'], { ...start, ver: 5 });
  expect(cache.take('n', ['sea'], early.lists, answer({ ver: 5, lists: [[129]] }))).toBeUndefined();
  expect(read(cache, 'n', ['sea'], { ver: 5, lists: [[129]] })?.lists[0]).toHaveLength(3);
});

test('lengths that have moved to a larger place are told as dropped', () => {
  const cache = createCache(1e6);
  const before = read(cache, 'n', [], { ...start, lists: [] })?.lengths.buffer;
  dropped = [];
  read(cache, 'n', [], { ver: 2, entries: [{ ver: 2, base: 4, count: 5000 }], lists: [] });
  expect(dropped).toEqual([before]);
});

test('frequencies are remembered for as long as neither the documents nor the list have changed', () => {
  const cache = createCache(1e6);
  const first = read(cache, 'n', ['sea', 'ship'], { ...start, lists: [[1, 33], [65]] });
  const longer = read(cache, 'n', ['ship'], { ver: 1, lists: [[97]] });
  first?.remember([2, 1]);
  const frequencies = () => read(cache, 'n', ['sea', 'ship'], { ver: 1, lists: [[], []] })?.frequencies;
  expect(frequencies()).toEqual([2, undefined]);
  longer?.remember([2]);
  expect(frequencies()).toEqual([2, 2]);
  read(cache, 'n', ['sea'], { ver: 2, entries: [{ ver: 2, base: 4, count: 1 }], lists: [[]] });
  first?.remember([9, 9]);
  expect(read(cache, 'n', ['sea', 'ship'], { ver: 2, lists: [[], []] })?.frequencies).toEqual([undefined, undefined]);
});

test('the namespaces that were not asked for the longest make room, then the lists', () => {
  const few = { ver: 1, afresh: 4, lists: [[1, 33], [65]] };
  // Room for one namespace and one of its two lists.
  const cache = createCache(2800);
  const many = Array.from({ length: 80 }, (_, at) => at * 32 + 1);
  read(cache, 'old', ['sea', 'ship'], few);
  read(cache, 'new', ['sea', 'ship'], { ...few, lists: [many, many] });
  expect(cache.known('old', ['sea']).epoch).toBe('-');
  const { lists } = cache.known('new', ['sea', 'ship']);
  expect(lists.map((list) => list.bytes)).toEqual([0, 320]);
});

test('what was forgotten is dropped, and read anew', () => {
  const cache = createCache(1e6);
  const postings = read(cache, 'n', ['sea'], start);
  dropped = [];
  cache.forget();
  expect(dropped).toEqual([postings?.lists[0]?.buffer, postings?.lengths.buffer]);
  expect(cache.known('n', ['sea'])).toMatchObject({ epoch: '-', ver: 0, lists: [{ bytes: 0 }] });
});
