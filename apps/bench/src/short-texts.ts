import { createRandom, seededText } from './seeded-text.ts';

/** Texts of 30 to 90 words, all different, always the same: what a team's notes look like. */
export function shortTexts(count: number): string[] {
  const random = createRandom(1);
  return Array.from({ length: count }, () => seededText(random, 30 + Math.floor(random() * 60)));
}
