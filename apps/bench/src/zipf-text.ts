const syllables =
  'ba be bi bo ca ce co da de di do du fa fe fi ga go ha he hi ka ke ki la le li lo lu ma me mi mo na ne ni no pa pe po ra re ' +
  'ri ro ru sa se si so ta te ti to tu va ve vi wa we za zo';
const parts = syllables.split(' ');
const vocabularySize = 60_000;

/** The word of a rank: two to four syllables, each rank another word. */
export function wordOfRank(rank: number): string {
  let word = '';
  for (let rest = rank + parts.length; rest > 0; rest = Math.floor(rest / parts.length))
    word += parts[rest % parts.length];
  return word;
}

const words = Array.from({ length: vocabularySize }, (_, rank) => wordOfRank(rank));

/** How often the words up to a rank come, of all: Zipf's law with Mandelbrot's constant 2.7, as of a natural language. */
const shares = (() => {
  const sums = new Float64Array(vocabularySize);
  let sum = 0;
  for (let rank = 0; rank < vocabularySize; rank += 1) sums[rank] = sum += 1 / (rank + 2.7);
  return sums.map((value) => value / sum);
})();

/** A word as frequent as its rank says. */
export function zipfWord(random: () => number): string {
  const wanted = random();
  let low = 0;
  let high = vocabularySize - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((shares[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return words[low] as string;
}

/** So many words, in sentences of about twelve. */
export function zipfText(random: () => number, count: number): string {
  const sentences: string[] = [];
  for (let left = count; left > 0; left -= 12) {
    const sentence = Array.from({ length: Math.min(12, left) }, () => zipfWord(random)).join(' ');
    sentences.push(`${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`);
  }
  return sentences.join(' ');
}
