import type { Citation } from '../contracts/model/answer.ts';
import type { SearchHit } from '../contracts/model/search.ts';
import { splitSentences } from '../search/sentences.ts';
import { termKeys } from '../search/terms.ts';
import { numbersIn } from './claims.ts';
import { isCarried, statesNothing } from './grounding.ts';
import { citationOf, type SourceSentence, sentencesOf } from './source-sentences.ts';

const marker = /\[(\d{1,4})\]/g;

interface Statement {
  readonly text: string;
  readonly cites: Set<number>;
}

const markersIn = (text: string) => [...text.matchAll(marker)].map((match) => Number(match[1]));

/** The answer's sentences with what each cites. Markers after the full stop belong to the sentence before it. */
function statementsOf(answer: string): Statement[] {
  const statements: Statement[] = [];
  // "Word.[1] Next" is two sentences as well.
  const spaced = answer.replace(/(?<=[.!?])(?=\[\d{1,4}\])/g, ' ');
  for (const span of splitSentences(spaced)) {
    const sentence = spaced.slice(span.start, span.end);
    const leading = /^(?:\[\d{1,4}\][\s,;.]*)+/.exec(sentence)?.[0] ?? '';
    const previous = statements.at(-1);
    if (previous) for (const number of markersIn(leading)) previous.cites.add(number);
    const rest = previous ? sentence.slice(leading.length) : sentence;
    const text = rest.replace(marker, '').trim();
    if (text !== '') statements.push({ text, cites: new Set(markersIn(rest)) });
  }
  return statements;
}

/** The sentence of a passage that shares most with a statement that cites it. */
function bestQuote(hit: SearchHit, statement: Statement): SourceSentence | undefined {
  const wanted = termKeys(statement.text);
  const numbers = new Set(numbersIn(statement.text));
  let best: SourceSentence | undefined;
  let bestScore = -1;
  for (const sentence of sentencesOf(hit)) {
    const own = termKeys(sentence.text);
    const shared = [...own].filter((term) => wanted.has(term)).length;
    // A number tells more than a word where a document says the same of several things.
    const sharedNumbers = numbersIn(sentence.text).filter((number) => numbers.has(number)).length;
    // Divided by the root of the length: a long sentence holds any word sooner or later.
    const score = (shared + sharedNumbers) / Math.sqrt(Math.max(1, own.size));
    if (score > bestScore) {
      best = sentence;
      bestScore = score;
    }
  }
  return best;
}

/** One for each sentence and passage that it cites, in the order of the answer; the same quote once a marker. */
function citationsOf(statements: readonly Statement[], passages: readonly SearchHit[]): Citation[] {
  const citations = new Map<string, Citation>();
  for (const statement of statements) {
    for (const number of statement.cites) {
      const hit = passages[number - 1];
      const quote = hit && bestQuote(hit, statement);
      if (!quote) continue;
      const place = `${number} ${quote.span.start}`;
      if (!citations.has(place)) citations.set(place, citationOf(number, quote));
    }
  }
  return [...citations.values()];
}

/**
 * Reads the markers of an answer: for every sentence a citation for each passage that it cites, with that passage's
 * sentence that carries most of it. `grounded` is whether every sentence is carried by the passages that it cites
 * (grounding.ts).
 *
 * @param passages in the order of their markers: `[1]` is the first.
 */
export function readCitations(
  answer: string,
  passages: readonly SearchHit[],
): { citations: Citation[]; grounded: boolean } {
  const statements = statementsOf(answer);
  const isGrounded = ({ text, cites }: Statement) => {
    const cited = [...cites].flatMap((number) => passages[number - 1] ?? []);
    return statesNothing(text) || (cited.length > 0 && isCarried(text, cited));
  };
  return {
    citations: citationsOf(statements, passages),
    grounded: statements.length > 0 && statements.every(isGrounded),
  };
}
