/** The fewest insertions, deletions and substitutions that turn one sequence into the other (Levenshtein 1966). */
export function editDistance<Item>(from: readonly Item[], to: readonly Item[]): number {
  let previous = new Uint32Array(to.length + 1).map((_, index) => index);
  let current = new Uint32Array(to.length + 1);
  for (const [row, item] of from.entries()) {
    current[0] = row + 1;
    for (let column = 1; column <= to.length; column += 1) {
      const substituted = (previous[column - 1] as number) + (item === to[column - 1] ? 0 : 1);
      current[column] = Math.min(substituted, (previous[column] as number) + 1, (current[column - 1] as number) + 1);
    }
    [previous, current] = [current, previous];
  }
  return previous[to.length] as number;
}

/** How many of the wanted words are there, each as often as it is wanted at most. */
export function wordsFound(wanted: readonly string[], words: readonly string[]): number {
  const left = new Map<string, number>();
  for (const word of words) left.set(word, (left.get(word) ?? 0) + 1);
  let found = 0;
  for (const word of wanted) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    found += 1;
    left.set(word, count - 1);
  }
  return found;
}
