/**
 * Length of the shift against the vector's own: ten times what was needed. It moves the cosine with another vector by
 * some 10⁻⁴/√dimensions (5·10⁻⁶ at 384), far below what the int8 model's own rounding does.
 */
const relativeLength = 1e-4;

/**
 * The vector, shifted a little in a direction that follows from its id.
 *
 * Texts that many documents share (notices, empty forms) have equal vectors, and the graph of the index cannot bear
 * many of them: hnswlib takes a neighbour unless it is nearer to one already taken than to the new point, which never
 * holds between equals, so each copy is linked to copies only and what lies behind them can no longer be reached. Of
 * 20,000 vectors with 5,000 equal ones 5 in 100 of the others were not found by themselves; shifted, all are.
 */
export function dithered(vector: Float32Array, id: string): Float32Array {
  let norm = 0;
  for (const value of vector) norm += value * value;
  // The variance of a uniform number between −1 and 1 is a third.
  const scale = relativeLength * Math.sqrt((3 * norm) / Math.max(1, vector.length));
  const random = randomFrom(id);
  return vector.map((value) => value + scale * random());
}

/** Numbers between −1 and 1 that follow from a text: FNV-1a, then mulberry32 (both in the public domain). */
function randomFrom(text: string): () => number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}
