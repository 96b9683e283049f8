/**
 * Character error rate: edits (Levenshtein) from the text to the truth, divided by the length of the truth. Runs of
 * white space count as one space, since where a line breaks is no error. In time and memory n·m and m.
 */
export function characterErrorRate(truth: string, text: string): number {
  const wanted = normalise(truth);
  const found = normalise(text);
  if (wanted.length === 0) return found.length === 0 ? 0 : 1;
  let before = Uint32Array.from({ length: found.length + 1 }, (_, index) => index);
  for (let row = 1; row <= wanted.length; row += 1) {
    const current = new Uint32Array(found.length + 1);
    current[0] = row;
    for (let column = 1; column <= found.length; column += 1) {
      const replaced = (before[column - 1] as number) + (wanted[row - 1] === found[column - 1] ? 0 : 1);
      const removed = (before[column] as number) + 1;
      const added = (current[column - 1] as number) + 1;
      current[column] = Math.min(replaced, removed, added);
    }
    before = current;
  }
  return (before[found.length] as number) / wanted.length;
}

function normalise(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
