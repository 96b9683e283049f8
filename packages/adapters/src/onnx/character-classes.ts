/** What BERT's normaliser and pre-tokenizer do with a code point. */
export const characterClass = { unknown: 0, plain: 1, space: 2, alone: 3, dropped: 4, decomposed: 5 } as const;

const classes = new Uint8Array(0x110000);
const decompositions = new Map<number, string>();

/**
 * The class of a code point, worked out on first sight:
 * `space` ends a word, `alone` is a word by itself (punctuation, ideographs), `dropped` vanishes (controls, accents),
 * `decomposed` is replaced by `normalised`, `plain` stays.
 */
export function classOf(codePoint: number): number {
  const known = classes[codePoint]!;
  if (known !== characterClass.unknown) return known;
  classes[codePoint] = classify(codePoint);
  return classes[codePoint];
}

/** What a code point becomes: without accents, in lower case. Undefined where it stays as it is. */
export function normalised(codePoint: number): string | undefined {
  return decompositions.get(codePoint);
}

/** The rules and their order are those of the reference implementation (huggingface/tokenizers, BertNormalizer). */
function classify(codePoint: number): number {
  const character = String.fromCodePoint(codePoint);
  if (/[\t\n\r]/.test(character)) return characterClass.space;
  // Before the other spaces: form feeds and their like vanish and part nothing.
  if (codePoint === 0xfffd || /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u.test(character)) return characterClass.dropped;
  if (/\p{White_Space}/u.test(character)) return characterClass.space;
  const plain = character.normalize('NFD').replace(/\p{Mn}/gu, '');
  const lower = Array.from(plain, (part) => part.toLowerCase()).join('');
  if (lower === '') return characterClass.dropped;
  if (lower !== character) decompositions.set(codePoint, lower);
  // Ideographs are known as they stand in the text, punctuation by what it has become (U+1FEF is a backtick).
  if (isIdeograph(codePoint) || isPunctuation(lower)) return characterClass.alone;
  return lower === character ? characterClass.plain : characterClass.decomposed;
}

/** All ASCII signs count, the currency and mathematical ones among them; elsewhere Unicode's category P. */
function isPunctuation(character: string): boolean {
  return /^(?:[!-/:-@[-`{-~]|\p{P})$/u.test(character);
}

/** The ranges that BERT calls Chinese; kana and hangul are none. */
function isIdeograph(codePoint: number): boolean {
  return (
    (codePoint >= 0x4e00 && codePoint <= 0x9fff) ||
    (codePoint >= 0x3400 && codePoint <= 0x4dbf) ||
    (codePoint >= 0x20000 && codePoint <= 0x2a6df) ||
    (codePoint >= 0x2a700 && codePoint <= 0x2b73f) ||
    (codePoint >= 0x2b740 && codePoint <= 0x2b81f) ||
    (codePoint >= 0x2b920 && codePoint <= 0x2ceaf) ||
    (codePoint >= 0xf900 && codePoint <= 0xfaff) ||
    (codePoint >= 0x2f800 && codePoint <= 0x2fa1f)
  );
}
