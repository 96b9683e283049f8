/** How many contents one document may have over its life. */
const contentsPerDocument = 64;

/**
 * A word that no document has but this one, in this version: whatever holds it came from there. It survives every
 * conversion to text, except OCR.
 */
export function markOf(index: number, ordinal: number): string {
  return `zq${(index * contentsPerDocument + ordinal).toString(36).padStart(6, '0')}x`;
}

/** The marks in a text, as the numbers that they were made of. */
export function marksIn(text: string): { index: number; ordinal: number }[] {
  return [...new Set(text.match(/\bzq[0-9a-z]{6}x\b/g))].map((mark) => {
    const number = Number.parseInt(mark.slice(2, -1), 36);
    return { index: Math.floor(number / contentsPerDocument), ordinal: number % contentsPerDocument };
  });
}
