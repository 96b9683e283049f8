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
  const known = directions.flatMap((direction, at) =>
    direction ? [{ at, direction, length: lengthOf(direction) }] : [],
  );
  if (known.length <= neighbours) return [...scores];
  const cosines = known.map(() => new Float32Array(known.length));
  known.forEach((one, i) => {
    for (let j = 0; j < i; j += 1) {
      const other = known[j] as (typeof known)[number];
      const cosine = dot(one.direction, other.direction) / (one.length * other.length);
      (cosines[i] as Float32Array)[j] = cosine;
      (cosines[j] as Float32Array)[i] = cosine;
    }
  });
  const lifted = [...scores];
  known.forEach(({ at }, i) => {
    const nearest = nearestTo(i, cosines[i] as Float32Array);
    const mean = nearest.reduce((sum, j) => sum + (scores[known[j]?.at as number] as number), 0) / neighbours;
    const score = scores[at] as number;
    lifted[at] = score + liftShare * Math.max(0, mean - score);
  });
  return lifted;
}

/** The first of those that are equally near. */
function nearestTo(own: number, cosines: Float32Array): number[] {
  const nearest: number[] = [];
  const cosineOf = (rank: number) => cosines[nearest[rank] as number] as number;
  for (let other = 0; other < cosines.length; other += 1) {
    if (other === own) continue;
    let rank = nearest.length;
    while (rank > 0 && cosineOf(rank - 1) < (cosines[other] as number)) rank -= 1;
    if (rank < neighbours) nearest.splice(rank, 0, other);
    if (nearest.length > neighbours) nearest.pop();
  }
  return nearest;
}

const lengthOf = (direction: Int8Array): number => Math.sqrt(dot(direction, direction)) || 1;

function dot(a: Int8Array, b: Int8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
