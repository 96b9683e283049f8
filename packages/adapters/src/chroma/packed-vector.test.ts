import { expect, test } from '@jest/globals';
import { forTheWire } from './packed-vector.ts';

// A part of a larger buffer, as vectors are when they are read from an artifact.
const vector = Float32Array.of(9, 0.1, -2.5e-8, 3, 9).subarray(1, 4);
const sent = (packs: boolean) => JSON.parse(JSON.stringify([forTheWire(vector, packs)]))[0] as unknown;

test('a vector is sent bit by bit where the server reads base64', () => {
  const bytes = Buffer.from(sent(true) as string, 'base64');
  expect(new Float32Array(Uint8Array.from(bytes).buffer)).toEqual(Float32Array.of(0.1, -2.5e-8, 3));
});

test('a vector is sent as numbers where it does not', () => {
  expect(sent(false)).toEqual([...vector]);
});
