import { expect, test } from '@jest/globals';
import { makeContent } from './contents/content.ts';
import { markOf, marksIn } from './contents/mark.ts';
import { faultKinds, planFaults } from './faults/plan.ts';
import { planOperations } from './operations.ts';

function take<Item>(items: Iterable<Item>, count: number): Item[] {
  const taken: Item[] = [];
  for (const item of items) {
    taken.push(item);
    if (taken.length === count) break;
  }
  return taken;
}

test('a seed fully determines what users do, and another seed gives something else', () => {
  const once = take(planOperations(7), 300);
  expect(take(planOperations(7), 300)).toEqual(once);
  expect(take(planOperations(8), 300)).not.toEqual(once);
  expect(new Set(once.map(({ name }) => name)).size).toBe(7);
});

test('a seed fully determines the faults, and each kind comes before any comes twice', () => {
  for (const track of ['process', 'dependency'] as const) {
    const kinds = Object.keys(faultKinds).filter((name) => faultKinds[name]?.track === track);
    const once = take(planFaults(7, track, kinds), 40);
    expect(take(planFaults(7, track, kinds), 40)).toEqual(once);
    expect(take(planFaults(8, track, kinds), 40)).not.toEqual(once);
    expect(
      once
        .slice(0, kinds.length)
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual([...kinds].sort());
  }
});

test('kinds that are left out do not come', () => {
  const faults = take(planFaults(1, 'process', ['kill-worker', 'kill-redis']), 20);
  expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(['kill-worker']));
});

test.each(['text', 'docx', 'mixedPdf', 'image', 'truncatedPdf'] as const)(
  'content of kind %s is the same each time, and differs from version to version',
  async (kind) => {
    const { sha256 } = await makeContent(7, 12, 0, kind);
    expect((await makeContent(7, 12, 0, kind)).sha256).toBe(sha256);
    expect((await makeContent(7, 12, 1, kind)).sha256).not.toBe(sha256);
  },
);

test('a mark tells document and version wherever it stands', () => {
  expect(marksIn(`## Note ${markOf(1234, 5)}, and ${markOf(0, 63)}.`)).toEqual([
    { index: 1234, ordinal: 5 },
    { index: 0, ordinal: 63 },
  ]);
});
