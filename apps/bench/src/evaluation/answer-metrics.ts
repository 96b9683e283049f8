/** The words of a text as far as an answer depends on them: without case, punctuation and (English) articles. */
function wordsOf(text: string): string[] {
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter((word) => word !== '');
  const telling = words.filter((word) => !/^(a|an|the)$/.test(word));
  return telling.length > 0 ? telling : words;
}

/** Scripts without spaces: there is no end of a word to respect. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

/** Whether one of the accepted answers stands in the text, as whole words (after Rajpurkar et al. 2016). */
export function containsAnswer(text: string, answers: readonly string[]): boolean {
  const words = wordsOf(text);
  return answers.some((answer) => {
    const wanted = wordsOf(answer);
    if (wanted.length === 0) return false;
    if (unspaced.test(answer)) return words.join('').includes(wanted.join(''));
    return ` ${words.join(' ')} `.includes(` ${wanted.join(' ')} `);
  });
}

/** A stretch of an answer with the citations that stand at its end. */
export interface Statement {
  readonly text: string;
  /** As they stand in the answer, such as `[1]`. */
  readonly markers: readonly string[];
}

/**
 * An answer as its statements: each ends where its citations stand. What follows the last is one without any. An extractive
 * answer has one sentence a statement.
 */
export function statementsOf(answer: string): Statement[] {
  const statements: Statement[] = [];
  let start = 0;
  for (const group of answer.matchAll(/(?:\s*\[\d+\])+[.!?。！？]?/g)) {
    const text = answer.slice(start, group.index).trim();
    start = group.index + group[0].length;
    statements.push({ text, markers: group[0].match(/\[\d+\]/g) ?? [] });
  }
  const rest = answer.slice(start).trim();
  return rest === '' ? statements : [...statements, { text: rest, markers: [] }];
}

const carriedShare = 0.8;

/**
 * Whether a quote carries the statement that cites it: it has at least 80 % of the statement's words, or the statement is
 * that quote with words around it that say nothing of the matter. Of words, not of meaning: a denial with the words of what
 * it denies passes.
 */
export function carries(quote: string, statement: string): boolean {
  const wanted = wordsOf(statement);
  const words = wordsOf(quote);
  const held = new Set(words);
  if (wanted.filter((word) => held.has(word)).length >= carriedShare * wanted.length) return true;
  return words.length > 0 && ` ${wanted.join(' ')} `.includes(` ${words.join(' ')} `);
}
