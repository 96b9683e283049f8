import { expect, test } from '@jest/globals';
import type { JobRecord } from '../../ports/ledger.ts';
import { jobOf } from '../../testing/ledger-fixtures.ts';
import { addKills, isPoison, killsInARow, survive } from './poison.ts';

const job: JobRecord = jobOf({ tenant: 'acme', namespace: 'default' }, 'notes', 1);

test('workers that died before new work was stored are not held against a document', () => {
  expect(killsInARow(job, 'embed', 4)).toBe(4);
  expect(killsInARow(survive(job, 'embed', 4), 'embed', 5)).toBe(1);
});

test('what another stage has outlived, or an earlier run, says nothing of this one', () => {
  const survived = survive(job, 'embed', 2);
  expect(killsInARow(survived, 'parse', 2)).toBe(2);
  expect(killsInARow({ ...survived, run: 1 }, 'embed', 2)).toBe(2);
});

test('children count in any stage, and those of an earlier run do not', () => {
  const killed = addKills(addKills(job, 1), 2);
  expect(killsInARow(killed, 'parse', 0)).toBe(3);
  expect(killsInARow(killed, 'ocr', 1)).toBe(4);
  expect(killsInARow({ ...killed, run: 1 }, 'ocr', 1)).toBe(1);
  expect(killsInARow(survive(killed, 'ocr', 1), 'ocr', 1)).toBe(0);
  expect(addKills(job, 0)).toBe(job);
});

test('a document is poison after three deaths where its content is at work, and elsewhere after twenty', () => {
  expect(isPoison(job, 'parse', 2)).toBe(false);
  expect(isPoison(job, 'parse', 3)).toBe(true);
  expect(isPoison(job, 'index', 19)).toBe(false);
  expect(isPoison(job, 'index', 20)).toBe(true);
});
