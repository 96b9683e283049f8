const digits = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const signs: Readonly<Record<string, string>> = { '+': '⁺', '-': '⁻', '\u2212': '⁻' };

/** Raised digits and signs as characters that are raised, so that 10⁶ is not told as 106; other text as it is. */
export function superscript(text: string): string {
  if (!/^\s*[\d+\u2212-]+\s*$/.test(text)) return text;
  return text.replace(/\S/g, (character) => signs[character] ?? digits[Number(character)]!);
}
