import { prefixOf, stemOf } from './terms.ts';

/** The commonest function words of English: they say nothing about a text's topic. Other languages do without. */
export const functionWords: ReadonlySet<string> = new Set(
  (
    'a about all an and any are as at be been but by can could did do does for from had has have he her his how i if in ' +
    'into is it its me may my no not of on or our over should so than that the their them then there these they this to ' +
    'us was we were what when where which who whom whose why will with would you your'
  ).split(' '),
);

const terms: ReadonlySet<string> = new Set(
  [...functionWords].flatMap((word) => [`s${stemOf(word)}`, `p${prefixOf(word)}`]),
);

/** Whether a term, as postings have it, is of a function word. */
export const isFunctionTerm = (term: string): boolean => terms.has(term);
