import { expect, test } from '@jest/globals';
import { type ScoringTask, scorePostings } from './score-postings.ts';

/** A namespace of so many chunks, some not active, with lists of all densities; the same each time. */
function someTask(chunks: number, seed: number): ScoringTask {
  let state = seed;
  const random = () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 31;
  };
  const lengths = Uint16Array.from({ length: chunks }, () => (random() < 0.2 ? 0 : 1 + Math.floor(random() * 200)));
  const lists = [0.9, 0.5, 0.2, 0.05, 0.004].map((share) => {
    const postings: number[] = [];
    for (let ordinal = 0; ordinal < chunks; ordinal += 1) {
      if (random() < share) postings.push(ordinal * 32 + 1 + Math.floor(random() * 4));
    }
    return Uint32Array.from(postings);
  });
  const active = lengths.filter((length) => length > 0);
  return {
    ...{ lists, lengths, count: active.length, totalLength: active.reduce((sum, length) => sum + length, 0) },
    terms: lists.map((_, at) => ({ weight: at % 2 ? 0.5 : 1, common: at === 0 })),
    frequencies: [],
    select: { kind: 'best', limit: 50 },
  };
}

/** The same by the formula alone, chunk by chunk. */
function slowly({ lists, terms, lengths, count, totalLength }: ScoringTask, ordinals: readonly number[]) {
  const average = totalLength / count;
  const scores = ordinals.map((ordinal) => {
    const length = lengths[ordinal] ?? 0;
    return lists.reduce((sum, list, at) => {
      const frequency = [...list].filter((posting) => lengths[posting >>> 5]).length;
      const rare = terms[at]?.common ? Math.max(frequency, count / 2) : frequency;
      const posting = list.find((each) => each >>> 5 === ordinal);
      if (posting === undefined || length === 0) return sum;
      const tf = posting & 31;
      const idf = Math.log(1 + (count - rare + 0.5) / (rare + 0.5));
      return sum + (terms[at]?.weight ?? 0) * idf * ((tf * 2.2) / (tf + 1.2 * (0.25 + (0.75 * length) / average)));
    }, 0);
  });
  return ordinals
    .map((ordinal, at) => ({ ordinal, score: scores[at] ?? 0 }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.ordinal - b.ordinal);
}

const all = (task: ScoringTask) => Array.from(task.lengths.keys());

function expectSame(found: ReturnType<typeof scorePostings>, wanted: ReturnType<typeof slowly>) {
  expect(found.scores).toHaveLength(wanted.length);
  for (const [at, { score }] of wanted.entries()) expect(found.scores[at]).toBeCloseTo(score, 4);
}

test('the best of all are those of the formula, and what is not active is not among them', () => {
  const task = someTask(600, 1);
  const found = scorePostings(task);
  expectSame(found, slowly(task, all(task)).slice(0, 50));
  expect(found.ordinals.every((ordinal) => (task.lengths[ordinal] ?? 0) > 0)).toBe(true);
  expect(found.frequencies).toEqual(
    task.lists.map((list) => [...list].filter((posting) => task.lengths[posting >>> 5]).length),
  );
});

test.each([
  ['few', [3, 9, 40, 41, 300, 310]],
  ['many', [0, 250, 251, 599]],
  ['none', []],
])('within ranges that cover %s ordinals, only those are found, with the scores they have among all', (_, bounds) => {
  const task = someTask(600, 2);
  const ranges = Uint32Array.from(bounds);
  const inside = all(task).filter((ordinal) =>
    bounds.some((from, at) => at % 2 === 0 && ordinal >= from && ordinal < (bounds[at + 1] ?? 0)),
  );
  const found = scorePostings({ ...task, select: { kind: 'best', limit: 50, ranges } });
  expectSame(found, slowly(task, inside).slice(0, 50));
});

test('chunks that must hold some terms are found by all their terms', () => {
  const task = someTask(600, 3);
  const holds = (at: number, ordinal: number) => task.lists[at]?.some((posting) => posting >>> 5 === ordinal) ?? false;
  const inside = all(task).filter((ordinal) => holds(1, ordinal) && holds(3, ordinal));
  expect(inside.length).toBeGreaterThan(5);
  const select = { kind: 'best', limit: 50, required: [1, 3] } as const;
  expectSame(scorePostings({ ...task, select }), slowly(task, inside));
  const within = scorePostings({ ...task, select: { ...select, ranges: Uint32Array.of(100, 300) } });
  expectSame(
    within,
    slowly(
      task,
      inside.filter((ordinal) => ordinal >= 100 && ordinal < 300),
    ),
  );
  expect(scorePostings({ ...task, select: { ...select, required: [-1] } }).ordinals).toEqual([]);
});

test('scores of some chunks are the ones they have among the best', () => {
  const task = someTask(600, 4);
  const best = scorePostings(task);
  const ordinals = Uint32Array.from(best.ordinals).sort();
  const found = scorePostings({ ...task, select: { kind: 'these', ordinals } });
  for (const [at, ordinal] of found.ordinals.entries()) {
    expect(found.scores[at]).toBe(best.scores[best.ordinals.indexOf(ordinal)]);
  }
});
