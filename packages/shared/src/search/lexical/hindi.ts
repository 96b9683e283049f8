/** Endings of number, gender and case, the longer first. */
const endings = [
  ...['ियाँ', 'ियां', 'ियों', 'ाओं', 'ाएं', 'ाएँ', 'ुओं', 'ुएं', 'ुएँ'],
  ...['ों', 'ें', 'ीं', 'ां', 'ो', 'े', 'ू', 'ु', 'ी', 'ि', 'ा'],
].map((ending) => ending.replace('ँ', 'ं'));
const leastCharacters = 2;

export const isDevanagari = (word: string): boolean => /^\p{Script=Devanagari}+$/u.test(word);

/**
 * A word of Hindi without its ending (after Ramanathan and Rao, A Lightweight Stemmer for Hindi, 2003).
 * @param word as `plain` gives it
 */
export function withoutEnding(word: string): string {
  const ending = endings.find((one) => word.endsWith(one) && word.length >= one.length + leastCharacters);
  return ending ? word.slice(0, -ending.length) : word;
}
