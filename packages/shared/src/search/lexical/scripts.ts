/** Most texts and words, for which much need not be done. */
export const isAscii = (text: string): boolean => !/[^\p{ASCII}]/u.test(text);

/** Scripts that write no spaces, as the inside of a class of characters. */
export const unspacedScripts = [
  ...['Han', 'Hiragana', 'Katakana', 'Thai', 'Lao', 'Khmer', 'Myanmar'].map((script) => `\\p{Script=${script}}`),
].join('');
/** Their words are looked for as pairs of characters. */
export const unspaced = new RegExp(`[${unspacedScripts}]`, 'u');
export const unspacedRuns = new RegExp(`[${unspacedScripts}\\p{M}ー]+|[^${unspacedScripts}]+`, 'gu');
const unspacedAlphabet = /^[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{M}]+$/u;
/** A word in any script, with the signs that say where it may be broken or joined. */
export const word = /[\p{L}\p{N}][\p{L}\p{M}\p{N}\u00ad\u200d]*/gu;
/** One character of a script that writes no spaces; its marks do not count. */
export const unspacedCharacter = new RegExp(`(?!\\p{M})[${unspacedScripts}]`, 'gu');

/** Whether a stretch of such a script is in an alphabet, where two characters say as little as two letters. */
export const isOfAlphabet = (stretch: string): boolean => unspacedAlphabet.test(stretch);
