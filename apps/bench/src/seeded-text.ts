const words =
  'river bridge engine harbour signal winter copper valley market letter garden storm captain lantern orchard railway ' +
  'glacier museum violin kitchen compass feather granite island journal kettle library mirror needle ocean pepper quarry ' +
  'ribbon saddle temple umbrella village wagon yellow anchor basket candle desert emerald forest guitar hammer insect ' +
  'jacket ladder meadow nickel onion palace rocket silver timber uncle vessel window carries follows measures reaches';
const vocabulary = words.split(' ');

/** A pseudo-random sequence in [0, 1): mulberry32, the same for the same seed. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A text of so many words in sentences of about twelve; one word is about one token of the model. */
export function seededText(random: () => number, wordCount: number): string {
  const sentence: string[] = [];
  const sentences: string[] = [];
  for (let index = 0; index < wordCount; index += 1) {
    sentence.push(vocabulary[Math.floor(random() * vocabulary.length)] ?? 'river');
    if (sentence.length < 12 && index < wordCount - 1) continue;
    const text = sentence.splice(0).join(' ');
    sentences.push(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
  }
  return sentences.join(' ');
}
