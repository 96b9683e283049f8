import { expect, test } from '@jest/globals';
import type { QueryTokens, TokenVectors } from '../../ports/embedder.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { createMaxSim } from './max-sim.ts';

const random = seededRandom(7);

function tokens(count: number, width: number): TokenVectors {
  const values = Int8Array.from({ length: count * width }, () => Math.floor(random() * 255) - 127);
  return { values, scales: Float32Array.from({ length: count }, () => random() * 0.01) };
}

const query = (count: number, width: number): QueryTokens => ({
  ...tokens(count, width),
  weights: Float32Array.from({ length: count }, () => random() * 8),
});

/** The formula, one number at a time. */
function plain(asked: QueryTokens, passage: TokenVectors): number {
  const width = asked.values.length / asked.scales.length;
  let sum = 0;
  asked.scales.forEach((scale, i) => {
    const products = Array.from(passage.scales, (passageScale, j) => {
      let dot = 0;
      for (let k = 0; k < width; k++) dot += asked.values[i * width + k]! * passage.values[j * width + k]!;
      return dot * scale * passageScale;
    });
    sum += Math.max(...products) * asked.weights[i]!;
  });
  return sum / asked.weights.reduce((total, weight) => total + weight, 0);
}

test.each([
  [1, 1, 16],
  [3, 7, 32],
  [15, 200, 128],
  [400, 510, 128],
])('%d tokens of a query and %d of a passage, %d numbers wide, score as the formula says', (asked, found, width) => {
  const q = query(asked, width);
  const maxSim = createMaxSim(q);
  for (const passage of [tokens(found, width), tokens(1, width), tokens(found, width)])
    expect(maxSim(passage)).toBeCloseTo(plain(q, passage), 4);
});

test('a passage that holds the very tokens of the query scores 1', () => {
  const unit = Int8Array.from({ length: 32 }, (_, at) => (at % 17 === 0 ? 127 : 0));
  const scales = Float32Array.of(1 / 127, 1 / 127);
  const maxSim = createMaxSim({ values: unit, scales, weights: Float32Array.of(1, 5) });
  expect(maxSim({ values: unit, scales })).toBeCloseTo(1, 5);
});

test('says nothing where there is nothing to be compared', () => {
  const none = { values: new Int8Array(), scales: new Float32Array(), weights: new Float32Array() };
  expect(createMaxSim(none)(tokens(3, 16))).toBeUndefined();
  const maxSim = createMaxSim(query(2, 16));
  expect(maxSim(none)).toBeUndefined();
  // Vectors of another width are another model's.
  expect(maxSim(tokens(3, 32))).toBeUndefined();
  expect(createMaxSim({ ...tokens(2, 16), weights: Float32Array.of(0, 0) })(tokens(3, 16))).toBeUndefined();
});
