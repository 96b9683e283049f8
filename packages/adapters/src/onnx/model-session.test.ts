import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { matmulModel } from './matmul-model.ts';
import { modelFile, readFloats } from './model-card.ts';
import { loadModelSession } from './model-session.ts';

// The model takes its time to load on a busy machine.
jest.setTimeout(60_000);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'model-session-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function projection(to: number, weight: (from: number, to: number) => number) {
  const path = join(folder, `${to}`);
  const weights = Float32Array.from({ length: 384 * to }, (_, at) => weight(Math.floor(at / to), at % to));
  await writeFile(path, new Uint8Array(weights.buffer));
  return { path, from: 384, to };
}

const tokenIds = Int32Array.of(101, 3638, 102);
const lengthOf = (vector: Iterable<number>) => Math.hypot(...vector);

test('a text has the same vector with those of its tokens and without', async () => {
  // Takes the first two numbers of each state.
  const session = await loadModelSession(
    modelFile('model.onnx'),
    await projection(2, (from, to) => (from === to ? 1 : 0)),
  );
  const vector = await session.embed(tokenIds);
  expect([vector.length, lengthOf(vector)]).toEqual([384, expect.closeTo(1, 5)]);
  const both = await session.embedTokens(tokenIds, 1);
  expect(both.vector).toEqual(vector);
  // One token between the control tokens, as a unit vector of int8.
  const { values, scales } = both.tokens;
  expect([values.length, scales.length]).toEqual([2, 1]);
  expect(lengthOf([...values].map((value) => value * scales[0]!))).toBeCloseTo(1, 2);
  expect(Math.max(...[...values].map(Math.abs))).toBe(127);
});

test('a text whose tokens are all left out has no vectors of them', async () => {
  const session = await loadModelSession(modelFile('model.onnx'), await projection(3, () => 0));
  const { vector, tokens } = await session.embedTokens(tokenIds, 5);
  expect([vector.length, tokens.values.length, tokens.scales.length]).toEqual([384, 0, 0]);
  // A projection to nothing gives no direction, and no division by it.
  const { tokens: nothing } = await session.embedTokens(tokenIds, 1);
  expect([[...nothing.values], [...nothing.scales]]).toEqual([[0, 0, 0], [0]]);
});

test('without a projection there are no vectors of tokens', async () => {
  const session = await loadModelSession(modelFile('model.onnx'));
  await expect(session.embedTokens(tokenIds, 1)).rejects.toThrow('no projection');
});

test('the model of a multiplication multiplies, whatever its size', async () => {
  // More than 127 columns: a length of two bytes.
  for (const columns of [3, 200]) {
    const weights = Float32Array.from({ length: 2 * columns }, (_, at) => at);
    const session = await InferenceSession.create(matmulModel(weights, 2, columns));
    const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 0, 0, 1, 1, 1), [3, 2]) });
    const row = (at: number) => Array.from((y!.data as Float32Array).subarray(at * columns, (at + 1) * columns));
    expect([row(0), row(1)]).toEqual([[...weights.subarray(0, columns)], [...weights.subarray(columns)]]);
    expect(row(2)).toEqual(row(0).map((value, at) => value + row(1)[at]!));
  }
});

test('a file of numbers that has another length than it should is refused', async () => {
  const path = join(folder, 'floats');
  await writeFile(path, new Uint8Array(12));
  expect([...readFloats(path, 3)]).toEqual([0, 0, 0]);
  expect(() => readFloats(path, 4)).toThrow('has 12 bytes and not 16');
});
