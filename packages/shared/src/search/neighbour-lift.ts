/** How far a score rises to that of its neighbours, and how many there are. Measured on cranfield and squad2. */
const liftShare = 0.4;
const neighbours = 3;

/**
 * Scores of passages, those lifted whose nearest others by cosine score better: what many near passages answer is likelier
 * an answer. `s' = s + 0.4 · max(0, mean(s of the 3 nearest) − s)`. None is lowered: the one passage that stands out
 * from its neighbours is often the answer (docs/adr/0014). Passages without a direction keep their score.
 */
export function liftedByNeighbours(
  scores: readonly number[],
  directions: readonly (Int8Array | undefined)[],
): number[] {
  const known = directions.flatMap((direction, at) => (direction ? [{ at, unit: unitOf(direction) }] : []));
  if (known.length <= neighbours) return [...scores];
  const lifted = [...scores];
  const cosines = known.map(() => new Float32Array(known.length));
  known.forEach((one, i) => {
    for (let j = 0; j < i; j += 1) {
      const cosine = dot(one.unit, (known[j] as (typeof known)[number]).unit);
      (cosines[i] as Float32Array)[j] = cosine;
      (cosines[j] as Float32Array)[i] = cosine;
    }
  });
  known.forEach(({ at }, i) => {
    const row = cosines[i] as Float32Array;
    const nearest = known
      .map((_, j) => j)
      .filter((j) => j !== i)
      .sort((a, b) => (row[b] as number) - (row[a] as number) || a - b)
      .slice(0, neighbours);
    const mean = nearest.reduce((sum, j) => sum + scoreAt(j), 0) / neighbours;
    const score = scores[at] as number;
    lifted[at] = score + liftShare * Math.max(0, mean - score);
  });
  return lifted;

  function scoreAt(j: number): number {
    return scores[(known[j] as (typeof known)[number]).at] as number;
  }
}

function unitOf(direction: Int8Array): Float32Array {
  let squares = 0;
  for (const value of direction) squares += value * value;
  const length = Math.sqrt(squares) || 1;
  return Float32Array.from(direction, (value) => value / length);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
