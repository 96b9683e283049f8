import type { Span } from '../../contracts/model/ids.ts';
import type { Tokenizer } from '../../ports/embedder.ts';
import type { Block } from './blocks.ts';
import { maxCoreTokens } from './limits.ts';
import { piecesOf } from './pieces.ts';
import { sentencesOf } from './sentences.ts';

/** How willingly a text is cut before a unit: the lower, the rather. */
export const cutRank = { section: 1, block: 2, sentence: 3, inner: 4, never: 5 } as const;

/** What is never cut: a sentence, a row, a line of code, a heading. */
export interface Unit extends Span {
  /** Tokens, or more where few tokens take up much text. */
  readonly weight: number;
  readonly rank: number;
  readonly heading: boolean;
  /** For a row of a table: its header. */
  readonly header?: Span | undefined;
}

/** The units of a block. One that is longer than a chunk comes in pieces. */
export function* unitsOf(text: string, block: Block, tokenizer: Tokenizer): Generator<Unit, void> {
  if (block.kind === 'heading') yield* measured(text, [block], tokenizer, { heading: true });
  else if (block.kind === 'paragraph')
    yield* measured(text, sentencesOf(text, block), tokenizer, { inner: cutRank.sentence });
  else yield* linesOf(text, block, tokenizer);
}

/** Lines of a block that fits into a chunk are kept together rather than sentences are. */
function* linesOf(
  text: string,
  { kind, lines }: Exclude<Block, { kind: 'heading' | 'paragraph' }>,
  tokenizer: Tokenizer,
): Generator<Unit, void> {
  const header = kind === 'table' ? lines[0] : undefined;
  const withHeader = (line: Unit): Unit => ({
    ...line,
    header: header && line.start >= header.end ? header : undefined,
  });
  const apart = (line: Unit, i: number) => (i === 0 ? line : { ...line, rank: Math.min(line.rank, cutRank.sentence) });
  /** As long as the block may fit. */
  const held: Unit[] = [];
  let weight = 0;
  let count = 0;
  for (const line of measured(text, lines, tokenizer, { inner: cutRank.inner })) {
    const fits = weight <= maxCoreTokens;
    weight += line.weight;
    if (fits) held.push(line);
    if (weight <= maxCoreTokens) continue;
    if (fits) for (const earlier of held) yield withHeader(apart(earlier, count++));
    else yield withHeader(apart(line, count++));
  }
  if (weight <= maxCoreTokens) for (const line of held) yield withHeader(line);
}

function* measured(
  text: string,
  spans: Iterable<Span>,
  tokenizer: Tokenizer,
  { heading = false, inner = cutRank.sentence as number },
): Generator<Unit, void> {
  let first: number = cutRank.block;
  for (const span of spans) {
    let rank = first;
    for (const { start, end, weight } of piecesOf(text, span, tokenizer)) {
      yield { start, end, weight, rank, heading };
      rank = cutRank.inner;
    }
    first = inner;
  }
}
