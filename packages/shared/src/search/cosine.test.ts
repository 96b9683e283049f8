import { expect, test } from '@jest/globals';
import { cosine } from './cosine.ts';

test('vectors are compared by direction; one without a direction is like none', () => {
  expect(cosine(Float32Array.of(3, 0), Float32Array.of(5, 0))).toBeCloseTo(1);
  expect(cosine(Float32Array.of(3, 4), Float32Array.of(-3, -4))).toBeCloseTo(-1);
  expect(cosine(Float32Array.of(0, 0), Float32Array.of(1, 0))).toBe(0);
  expect(cosine(Float32Array.of(1, 0), Float32Array.of(0, 0))).toBe(0);
});
