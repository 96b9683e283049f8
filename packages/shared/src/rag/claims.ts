/** What a sentence claims beside its words: numbers, names, and whether it denies something. */

/** With separators of thousands and decimals: `1,000`, `1.000,50`, `3.5`. Not in words such as `H2O`. */
const numeral = /(?<![\p{L}\p{N}_])\p{Nd}+(?:[.,'’\u00a0\u202f]\p{Nd}+)*/gu;
const groupedByComma = /^\d{1,3}(?:,\d{3})+(?:\.\d+)?$/;
const groupedOtherwise = /^\d{1,3}(?:([.'’\u00a0\u202f])\d{3})(?:\1\d{3})*(?:,\d+)?$/;

const smallNumbers = (
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen ' +
  'eighteen nineteen'
).split(' ');
const tens = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const numberWords: ReadonlyMap<string, string> = new Map([
  ...smallNumbers.map((word, value) => [word, String(value)] as const),
  ...tens.map((word, at) => [word, String((at + 2) * 10)] as const),
]);
/** "One of them" and "two reasons" count what is said, and are no numbers of the document. */
const leastSpelled = 3;

/** Equal for equal numbers however they are written, dates apart: their parts are numbers of their own. */
function plainNumber(found: string): string {
  const digits = found.normalize('NFKC').replace(/[\u2019]/g, "'");
  const plain = groupedByComma.test(digits)
    ? digits.replaceAll(',', '')
    : groupedOtherwise.test(digits)
      ? digits.replace(/[.' ]/g, '').replace(',', '.')
      : digits.replaceAll(',', '.');
  return plain.replace(/^0+(?=\d)/, '');
}

/** The numbers of a text, those from three up also where they are spelled out in English. */
export function numbersIn(text: string): string[] {
  const written = Array.from(text.matchAll(numeral), ([found]) => plainNumber(found));
  const spelled = (text.toLowerCase().match(/[a-z]+/g) ?? []).flatMap((word) => {
    const value = numberWords.get(word);
    return value !== undefined && Number(value) >= leastSpelled ? [value] : [];
  });
  return [...written, ...spelled];
}

const nameLike = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:[-_./:#@&’'][\p{L}\p{N}]+)*/gu;

/**
 * What an English sentence names: words with a capital letter, other than its first, and anywhere such as have one
 * inside or mix letters and digits (`WHO`, `ERR_SSL_42`).
 */
export function namesIn(sentence: string): string[] {
  const names: string[] = [];
  let isFirst = true;
  for (const { 0: found, index } of sentence.matchAll(nameLike)) {
    // A quotation, and what follows a colon, begins like a sentence.
    const begins = isFirst || /[:;“"‘(]\s*$/.test(sentence.slice(0, index));
    isFirst = false;
    const bare = found.replace(/['’]\p{L}{1,2}$/u, '');
    const isMixed = /\p{L}.*\p{Lu}|\p{L}.*\p{N}|\p{N}[-_./:#@&]?\p{Lu}/u.test(bare);
    if (
      isMixed
        ? !/^\p{Lu}\p{Ll}+-\p{Lu}\p{Ll}+$/u.test(bare) || !begins
        : /^\p{Lu}/u.test(bare) && !begins && bare !== 'I'
    )
      names.push(bare);
  }
  return names;
}

const denial =
  /\b(?:not|no|never|none|nothing|nobody|nowhere|neither|nor|cannot|without|unable|impossible|forbidden|prohibited|excluded|lacks?|lacked|fail(?:s|ed)?)\b|n['’]t\b/i;
const affirmed =
  /\bnot only\b|\bno later than\b|\bno (?:more|less|fewer) than\b|\bnot (?:more|less) than\b|\bno\.\s*\d/gi;

/** Whether an English sentence says that something is not so. */
export const isDenied = (sentence: string): boolean => denial.test(sentence.replace(affirmed, ''));
