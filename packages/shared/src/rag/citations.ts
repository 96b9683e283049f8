import type { Citation } from '../contracts/model/answer.ts';
import type { SearchHit } from '../contracts/model/search.ts';
import { splitSentences } from '../search/sentences.ts';
import { termKeys } from '../search/terms.ts';
import { citationOf, type SourceSentence, sentencesOf } from './source-sentences.ts';

const marker = /\[(\d{1,4})\]/g;
/** The share of a sentence's terms that its cited passages must hold. */
const carriedShare = 0.5;

interface Statement {
  readonly text: string;
  readonly cites: Set<number>;
}

const numbersIn = (text: string) => [...text.matchAll(marker)].map((match) => Number(match[1]));

/** The answer's sentences with what each cites. Markers after the full stop belong to the sentence before it. */
function statementsOf(answer: string): Statement[] {
  const statements: Statement[] = [];
  // "Word.[1] Next" is two sentences as well.
  const spaced = answer.replace(/(?<=[.!?])(?=\[\d{1,4}\])/g, ' ');
  for (const span of splitSentences(spaced)) {
    const sentence = spaced.slice(span.start, span.end);
    const leading = /^(?:\[\d{1,4}\][\s,;.]*)+/.exec(sentence)?.[0] ?? '';
    const previous = statements.at(-1);
    if (previous) for (const number of numbersIn(leading)) previous.cites.add(number);
    const rest = previous ? sentence.slice(leading.length) : sentence;
    const text = rest.replace(marker, '').trim();
    if (text !== '') statements.push({ text, cites: new Set(numbersIn(rest)) });
  }
  return statements;
}

/** Headings and the lines that open a list state nothing. */
const statesNothing = (text: string) => /^#{1,6} |[:：]$/.test(text) || termKeys(text).size === 0;

function isCarried(statement: Statement, passages: readonly SearchHit[]): boolean {
  if (statesNothing(statement.text)) return true;
  const cited = [...statement.cites].flatMap((number) => passages[number - 1] ?? []);
  if (cited.length === 0) return false;
  const evidence = cited.map((hit) => `${hit.title}\n${hit.headings.join('\n')}\n${hit.text}`).join('\n');
  const known = termKeys(evidence);
  const terms = [...termKeys(statement.text)];
  // A wrong number is the worst of wrong words, and the easiest to see.
  if (terms.some((term) => /^\d+$/.test(term) && !known.has(term))) return false;
  return terms.filter((term) => known.has(term)).length >= carriedShare * terms.length;
}

/** The sentence of a passage that shares most with one of the statements that cite it. */
function bestQuote(hit: SearchHit, statements: readonly Statement[]): SourceSentence | undefined {
  const wanted = statements.map((statement) => termKeys(statement.text));
  let best: SourceSentence | undefined;
  let bestScore = -1;
  for (const sentence of sentencesOf(hit)) {
    const own = termKeys(sentence.text);
    const shared = Math.max(0, ...wanted.map((terms) => [...own].filter((term) => terms.has(term)).length));
    // Divided by the root of the length: a long sentence holds any word sooner or later.
    const score = shared / Math.sqrt(Math.max(1, own.size));
    if (score > bestScore) {
      best = sentence;
      bestScore = score;
    }
  }
  return best;
}

/**
 * Reads the markers of an answer: one citation a marker, in the order of the first mention, each with the sentence of
 * its passage that carries most. `grounded` is whether every sentence cites passages that hold at least half of its
 * words and all of its numbers. No second model call; what is reworded beyond recognition counts as not grounded.
 *
 * @param passages in the order of their markers: `[1]` is the first.
 */
export function readCitations(
  answer: string,
  passages: readonly SearchHit[],
): { citations: Citation[]; grounded: boolean } {
  const statements = statementsOf(answer);
  const mentioned = [...new Set(numbersIn(answer))];
  const citations = mentioned.flatMap((number) => {
    const hit = passages[number - 1];
    const quote =
      hit &&
      bestQuote(
        hit,
        statements.filter((statement) => statement.cites.has(number)),
      );
    return quote ? [citationOf(number, quote)] : [];
  });
  const grounded = statements.length > 0 && statements.every((statement) => isCarried(statement, passages));
  return { citations, grounded };
}
