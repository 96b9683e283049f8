import { expect, test } from '@jest/globals';
import { sameJson } from './same-json.ts';

test('records are the same in any order of fields, and where a field is absent or undefined', () => {
  expect(sameJson({ a: 1, b: [{ c: 'x' }] }, { b: [{ c: 'x' }], a: 1 })).toBe(true);
  expect(sameJson({ a: 1, b: undefined }, { a: 1 })).toBe(true);
  expect(sameJson(structuredClone({ a: [1, 2] }), { a: [1, 2] })).toBe(true);
});

test('another value, another length, and another kind are not the same', () => {
  expect(sameJson({ a: 1 }, { a: 2 })).toBe(false);
  expect(sameJson([1, 2], [1])).toBe(false);
  expect(sameJson([], {})).toBe(false);
  expect(sameJson({ a: 1 }, undefined)).toBe(false);
  expect(sameJson({ a: '1' }, { a: 1 })).toBe(false);
});
