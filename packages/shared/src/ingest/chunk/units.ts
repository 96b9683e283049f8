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
export function unitsOf(text: string, block: Block, tokenizer: Tokenizer): Unit[] {
  if (block.kind === 'heading') return measured(text, [block], tokenizer, { heading: true });
  if (block.kind === 'paragraph')
    return measured(text, sentencesOf(text, block), tokenizer, { inner: cutRank.sentence });
  const lines = measured(text, block.lines, tokenizer, { inner: cutRank.inner });
  const fits = lines.reduce((sum, line) => sum + line.weight, 0) <= maxCoreTokens;
  const header = block.kind === 'table' ? block.lines[0] : undefined;
  return lines.map((line, i) => {
    const rank = i === 0 || fits ? line.rank : Math.min(line.rank, cutRank.sentence);
    return { ...line, rank, header: header && line.start >= header.end ? header : undefined };
  });
}

function measured(
  text: string,
  spans: readonly Span[],
  tokenizer: Tokenizer,
  { heading = false, inner = cutRank.sentence as number },
): Unit[] {
  return spans.flatMap((span, i) =>
    piecesOf(text, span, tokenizer).map((piece, j) => {
      const rank = j > 0 ? cutRank.inner : i > 0 ? inner : cutRank.block;
      return { start: piece.start, end: piece.end, weight: piece.weight, rank, heading };
    }),
  );
}
