import { expect, test } from '@jest/globals';
import { dithered } from './dither.ts';

const cosine = (a: Float32Array, b: Float32Array) =>
  a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0) / (Math.hypot(...a) * Math.hypot(...b));

test('moves a vector by a ten-thousandth, in a direction that follows from the id', () => {
  const vector = Float32Array.from({ length: 384 }, (_, i) => Math.sin(i * i) * 3);
  const [one, again, other] = [dithered(vector, 'a.1'), dithered(vector, 'a.1'), dithered(vector, 'a.2')];
  expect(again).toEqual(one);
  expect(other).not.toEqual(one);
  const moved = Math.hypot(...one.map((value, i) => value - (vector[i] ?? 0))) / Math.hypot(...vector);
  expect(moved).toBeGreaterThan(0.8e-4);
  expect(moved).toBeLessThan(1.2e-4);
  expect(1 - cosine(vector, one)).toBeLessThan(1e-8);
  expect(1 - cosine(one, other)).toBeGreaterThan(1e-9);
});

test('takes vectors of any length, and zero', () => {
  expect(dithered(new Float32Array(), 'a')).toEqual(new Float32Array());
  expect(dithered(new Float32Array(3), 'a')).toEqual(new Float32Array(3));
});
