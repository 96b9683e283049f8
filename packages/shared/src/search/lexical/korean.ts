/** A word in Korean syllable blocks. */
export const isKorean = (word: string): boolean => /^[가-힣]+$/.test(word);

/** A word that may end in a particle, foreign words and numbers among them: API를. */
export const endsInKorean = (word: string): boolean => /[가-힣]$/.test(word);

/**
 * Particles, the longer first. Which of a pair a word takes follows from whether it ends in a consonant, so that 가을
 * (autumn) keeps its 을, and 나이 (age) its 이.
 */
const particles: readonly { readonly text: string; readonly after?: 'consonant' | 'vowel' }[] = [
  ...['으로부터', '에서부터', '에게서'].map((text) => ({ text })),
  ...['로부터', '에서는', '에서도', '까지', '부터', '에서', '에게', '에는', '에도', '한테', '처럼', '보다'].map(
    (text) => ({ text }),
  ),
  { text: '으로', after: 'consonant' },
  { text: '이나', after: 'consonant' },
  ...['은', '이', '을', '과'].map((text) => ({ text, after: 'consonant' as const })),
  ...['는', '가', '를', '와', '로'].map((text) => ({ text, after: 'vowel' as const })),
  ...['의', '에', '도', '만'].map((text) => ({ text })),
];

/** Syllable blocks are ordered by their last consonant, 28 with none among them. */
const endsInConsonant = (word: string): boolean => (word.charCodeAt(word.length - 1) - 0xac00) % 28 > 0;

/** A Korean word without the particle at its end: what stands before it, if that can be a word that takes it. */
export function withoutParticle(word: string): string {
  for (const { text, after } of particles) {
    if (!word.endsWith(text)) continue;
    const rest = word.slice(0, -text.length);
    if (rest !== '' && !endsInKorean(rest)) return rest;
    // A single syllable before a particle that goes with any word is mostly a part of the word.
    if (rest.length < (after ? 1 : 2)) continue;
    if (!after || (after === 'consonant') === endsInConsonant(rest)) return rest;
  }
  return word;
}
