import type { QueryTokens, TokenVectors } from '../../ports/embedder.ts';
import { maxSimModule } from './max-sim-module.ts';

/** As much of https://webassembly.github.io/spec/js-api/ as is used here; Node's own types have none of it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
  ) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
      maxSim(
        query: number,
        queryCount: number,
        passage: number,
        scales: number,
        count: number,
        width: number,
        out: number,
      ): void;
    };
  };
};

const pageBytes = 65_536;
let shared: InstanceType<typeof WebAssembly.Instance>['exports'] | undefined;

/**
 * How well passages answer a query: the mean over the query's tokens, by their weights, of the largest dot product with
 * a token of the passage (MaxSim: Khattab and Zaharia 2020). Between -1 and 1, as a cosine. Some 30 µs for a query of 15
 * tokens and a passage of 200.
 *
 * The returned function answers for one query until the next one is made: all share one memory, so it is not to be kept
 * over anything that is waited for.
 */
export function createMaxSim({ values, scales, weights }: QueryTokens): (passage: TokenVectors) => number | undefined {
  const queryCount = scales.length;
  const width = values.length / queryCount;
  let total = 0;
  for (const weight of weights) total += weight;
  if (queryCount === 0 || total <= 0) return () => undefined;
  shared ??= new WebAssembly.Instance(new WebAssembly.Module(maxSimModule)).exports;
  const { memory, maxSim } = shared;
  const outAt = values.length * 2;
  const scalesAt = outAt + queryCount * 4;
  reserve(scalesAt);
  new Int16Array(memory.buffer, 0, values.length).set(values);

  function reserve(bytes: number): void {
    const missing = bytes - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
  }

  return (passage) => {
    const count = passage.scales.length;
    if (count === 0 || passage.values.length !== count * width) return undefined;
    const rowsAt = scalesAt + count * 4;
    reserve(rowsAt + passage.values.length);
    new Float32Array(memory.buffer, scalesAt, count).set(passage.scales);
    new Int8Array(memory.buffer, rowsAt, passage.values.length).set(passage.values);
    maxSim(0, queryCount, rowsAt, scalesAt, count, width, outAt);
    const best = new Float32Array(memory.buffer, outAt, queryCount);
    let sum = 0;
    for (let token = 0; token < queryCount; token += 1) sum += best[token]! * scales[token]! * weights[token]!;
    return sum / total;
  };
}
