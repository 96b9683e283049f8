import { expect, test } from '@jest/globals';
import type { SearchHit } from '@semantic-memory/shared/contracts/model/search';
import { makeContent } from './contents/content.ts';
import { markOf } from './contents/mark.ts';
import { inspectHits } from './inspect-hits.ts';
import type { RunState } from './run-state.ts';
import { newSlot, type Slot } from './slots.ts';

const askedAt = 1_000_000;

/** A run in which document 2 of tenant `chaos-a` has two versions, of which the second has succeeded. */
async function runWithTwoVersions(lost = false): Promise<{ state: RunState; slot: Slot }> {
  const slot = newSlot({ index: 2, tenant: 'chaos-a', namespace: 'default', named: true });
  for (const ordinal of [0, 1]) {
    slot.versions.push({
      ordinal,
      content: await makeContent(1, 2, ordinal, 'text'),
      jobId: `job-${ordinal}`,
      version: ordinal + 1,
      keyed: true,
      life: 0,
      cancelled: 'no',
      retries: 0,
      end: { state: 'succeeded', code: undefined, retries: 0, seenAt: askedAt - 10 },
    });
  }
  const state = {
    slots: new Map([[2, slot]]),
    violations: [],
    calm: false,
    faults: lost ? [{ loses: 'redis', healedAt: Date.now() }] : [],
    notes: new Map(),
    startedAt: 0,
    history: { write: () => {}, about: () => [], close: async () => {} },
  };
  // Hits are inspected without a service.
  return { state: state as unknown as RunState, slot };
}

const hit = (index: number, ordinal: number): SearchHit => ({
  chunkId: 'c',
  documentId: `doc-${Math.floor(index / 2)}`,
  version: ordinal + 1,
  title: '',
  text: `Note ${markOf(index, ordinal)}. The anchor carries the apple.`,
  score: 1,
  similarity: 1,
  headings: [],
  span: { start: 0, end: 1 },
  highlights: [],
  metadata: {},
});

async function kindsFor(
  tenant: string,
  found: SearchHit,
  prepare: (slot: Slot) => void = () => {},
  lost = false,
): Promise<string[]> {
  const { state, slot } = await runWithTwoVersions(lost);
  prepare(slot);
  inspectHits(state, tenant, [found], askedAt);
  return state.violations.map(({ kind }) => kind);
}

test('the active version may be found', async () => {
  expect(await kindsFor('chaos-a', hit(2, 1))).toEqual([]);
});

test('a replaced version may be found only right after Redis has lost its last writes', async () => {
  expect(await kindsFor('chaos-a', hit(2, 0))).toEqual(['stale_found']);
  expect(await kindsFor('chaos-a', hit(2, 0), () => {}, true)).toEqual([]);
});

test('text of another tenant is a violation', async () => {
  expect(await kindsFor('chaos-b', hit(2, 1))).toEqual(['other_tenant']);
});

test('a version that was replaced is a violation', async () => {
  expect(await kindsFor('chaos-a', hit(2, 0))).toEqual(['stale_found']);
});

test('what was deleted before the search is a violation, what was deleted during it is not', async () => {
  const deletedAt = (doneAt: number) => (slot: Slot) => {
    slot.deletes.push({ askedAt: doneAt - 5, doneAt });
    slot.lives = 1;
  };
  expect(await kindsFor('chaos-a', hit(2, 1), deletedAt(askedAt - 1))).toEqual(['deleted_found']);
  expect(await kindsFor('chaos-a', hit(2, 1), deletedAt(askedAt + 1))).toEqual([]);
});

test('what was refused is a violation, and so is text under the id of another document', async () => {
  const refused = (slot: Slot) => {
    const content = slot.versions.pop()?.content;
    if (content) slot.refused.set(1, content);
  };
  expect(await kindsFor('chaos-a', hit(2, 1), refused)).toEqual(['refused_found']);
  expect(await kindsFor('chaos-a', { ...hit(2, 1), documentId: 'doc-9' })).toEqual(['wrong_document']);
});
