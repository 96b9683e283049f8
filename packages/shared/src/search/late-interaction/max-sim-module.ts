/*
 * A WebAssembly module of one function, assembled here: a plain loop over int8 numbers does one multiplication at a time
 * (20 ms for a query of 15 tokens and 50 passages of 200), its SIMD instructions do eight. Opcodes:
 * https://webassembly.github.io/spec/core/appendix/index-instructions.html
 *
 *   maxSim(query, queryCount, passage, scales, count, width, out)
 *
 * For each of the query's tokens (rows of `width` int16) the largest dot product with a token of the passage (rows of
 * `width` int8, each product times the row's float in `scales`) goes to `out`, a float each. Counts are at least 1, the
 * width is a multiple of 16. All of them are addresses in, or sizes of what lies in, the exported memory.
 */

const [query, queryCount, passage, scales, count, width, out] = [0, 1, 2, 3, 4, 5, 6] as const;
const [row, scale, left, queryAt, rowEnd, best, sum] = [7, 8, 9, 10, 11, 12, 13] as const;

const [i32, f32, v128, none] = [0x7f, 0x7d, 0x7b, 0x40] as const;

const get = (local: number) => [0x20, local];
const set = (local: number, value: readonly number[]) => [...value, 0x21, local];
const constant = (value: number) => [0x41, value];
const add = (a: readonly number[], b: readonly number[]) => [...a, ...b, 0x6a];
const move = (local: number, by: readonly number[]) => set(local, add(get(local), by));
/** Runs its body, and again while the value that the body leaves is not 0. */
const loop = (...body: readonly (readonly number[])[]) => [0x03, none, ...body.flat(), 0x0d, 0x00, 0x0b];
const countDown = (local: number) => [...get(local), ...constant(1), 0x6b, 0x22, local];

const simd = (opcode: number) => (opcode < 128 ? [0xfd, opcode] : [0xfd, (opcode & 127) | 128, opcode >> 7]);
const load = (address: readonly number[], offset: number) => [...address, ...simd(0), 0, offset];
const extendLow = simd(135);
const extendHigh = simd(136);
const dot = simd(186);
const addLanes = simd(174);
const lane = (index: number) => [...get(sum), ...simd(27), index];
const zeros = [...simd(12), ...new Array<number>(16).fill(0)];

/** Eight products of eight numbers each: four sums. */
const halfDot = (extend: readonly number[], queryOffset: number) => [
  ...load(get(row), 0),
  ...extend,
  ...load(get(queryAt), queryOffset),
  ...dot,
];

const body = loop(
  set(best, [0x43, ...new Uint8Array(new Float32Array([-1e30]).buffer)]),
  set(row, get(passage)),
  set(scale, get(scales)),
  set(left, get(count)),
  loop(
    set(sum, zeros),
    set(queryAt, get(query)),
    set(rowEnd, add(get(row), get(width))),
    loop(
      set(sum, [...get(sum), ...halfDot(extendLow, 0), ...addLanes, ...halfDot(extendHigh, 16), ...addLanes]),
      move(row, constant(16)),
      move(queryAt, constant(32)),
      // row < rowEnd
      [...get(row), ...get(rowEnd), 0x49],
    ),
    // best = max(best, float(the four sums) * scale)
    set(best, [
      ...get(best),
      ...add(add(lane(0), lane(1)), add(lane(2), lane(3))),
      ...[0xb2, ...get(scale), 0x2a, 2, 0, 0x94, 0x97],
    ]),
    move(scale, constant(4)),
    countDown(left),
  ),
  [...get(out), ...get(best), 0x38, 2, 0],
  move(out, constant(4)),
  move(query, add(get(width), get(width))),
  countDown(queryCount),
);

const size = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...size(Math.floor(value / 128))];
const section = (id: number, bytes: readonly number[]) => [id, ...size(bytes.length), ...bytes];
const name = (text: string) => [text.length, ...Buffer.from(text)];
const locals = [3, 5, i32, 1, f32, 1, v128];
const code = [...locals, ...body, 0x0b];

export const maxSimModule = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...section(1, [1, 0x60, 7, i32, i32, i32, i32, i32, i32, i32, 0]),
  ...section(3, [1, 0]),
  // One page to begin with.
  ...section(5, [1, 0x00, 1]),
  ...section(7, [2, ...name('maxSim'), 0x00, 0, ...name('memory'), 0x02, 0]),
  ...section(10, [1, ...size(code.length), ...code]),
]);
