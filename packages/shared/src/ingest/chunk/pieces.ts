import type { Span } from '../../contracts/model/ids.ts';
import type { Tokenizer } from '../../ports/embedder.ts';
import { textHash } from './hash.ts';
import { maxCoreTokens } from './limits.ts';
import { pushTrimmed } from './sentences.ts';

export interface Piece extends Span {
  readonly weight: number;
}

/** Ordinary tokens have four characters; beyond this many a token counts as more than one, or text would be unbounded. */
const charactersPerWeight = 16;
/** A token (with the blank space behind it) that is longer is cut by characters: it is no word. */
const maxTokenCharacters = 400;
/** The text is handed to the tokenizer in pieces of this size, to bound what its tokens take. */
const windowCharacters = 16_384;
const minPieceTokens = 8;
const maxPieceTokens = 64;

/**
 * A sentence as it is, with its weight; or, where it is longer than a chunk may be, its pieces between words.
 * @param untrimmed not blank
 */
export function* piecesOf(text: string, untrimmed: Span, tokenizer: Tokenizer): Generator<Piece, void> {
  const trimmed: Span[] = [];
  pushTrimmed(text, trimmed, untrimmed.start, untrimmed.end);
  const span = trimmed[0]!;
  if (span.end - span.start <= windowCharacters) {
    const starts = tokenStarts(text, span, tokenizer);
    const weight = starts.reduce((sum, start, i) => sum + weightOf((starts[i + 1] ?? span.end) - start), 0);
    if (weight <= maxCoreTokens) yield { start: span.start, end: span.end, weight };
    else yield* cutBetweenWords(text, span, starts);
    return;
  }
  for (let start = span.start; start < span.end; ) {
    const end = windowEnd(text, start, span.end);
    const window: Span[] = [];
    pushTrimmed(text, window, start, end);
    for (const part of window) yield* cutBetweenWords(text, part, tokenStarts(text, part, tokenizer));
    start = end;
  }
}

/** What a token, or blank space, of so many characters counts. */
export const weightOf = (characters: number) => Math.max(1, Math.ceil(characters / charactersPerWeight));

/** Where tokens begin; the first is the span's own start, so that what the model drops belongs to some token. */
function tokenStarts(text: string, { start, end }: Span, tokenizer: Tokenizer): number[] {
  const starts = [start];
  for (const token of tokenizer.tokenize(text.slice(start, end))) {
    const at = start + token.start;
    if (at > starts.at(-1)!) starts.push(at);
  }
  return starts;
}

/**
 * Pieces of 8 to 64 tokens. Which word begins one is told by its own letters, so that pieces come out the same
 * however much text was put in before them.
 */
function cutBetweenWords(text: string, span: Span, starts: readonly number[]): Piece[] {
  const pieces: Piece[] = [];
  let from = span.start;
  let weight = 0;
  const close = (to: number) => {
    const trimmed: Span[] = [];
    pushTrimmed(text, trimmed, from, to);
    for (const piece of trimmed) pieces.push({ ...piece, weight: Math.max(1, weight) });
    from = to;
    weight = 0;
  };
  starts.forEach((start, i) => {
    const end = starts[i + 1] ?? span.end;
    if (weight >= minPieceTokens) {
      const chosen = textHash(text, start, Math.min(start + 16, span.end)) % 8 === 0 || text[start - 1] === '\n';
      if ((chosen || weight >= maxPieceTokens) && isBetweenWords(text, start)) close(start);
    }
    const own = weightOf(end - start);
    if (end - start > maxTokenCharacters) {
      close(start);
      for (let at = start; at < end; at = from) {
        weight = weightOf(maxTokenCharacters);
        close(characterBoundary(text, Math.min(at + maxTokenCharacters, end)));
      }
    } else {
      if (weight + own > maxCoreTokens) close(start);
      weight += own;
    }
  });
  close(span.end);
  return pieces;
}

/** True where cutting changes no token: not between two letters or digits, unless they are ideographs. */
function isBetweenWords(text: string, at: number): boolean {
  const around = text.slice(Math.max(0, at - 1), at + 2);
  return !/^[\p{L}\p{N}\p{M}\p{Cs}][\p{L}\p{N}\p{M}]/u.test(around) || /^.\p{Script=Han}/u.test(around);
}

/** The end of a window: after blank space where some is near, never inside a surrogate pair. */
function windowEnd(text: string, start: number, end: number): number {
  if (end - start <= windowCharacters) return end;
  const limit = start + windowCharacters;
  for (let at = limit; at > limit - windowCharacters / 4; at--) if (/\s/.test(text[at - 1]!)) return at;
  return characterBoundary(text, limit);
}

function characterBoundary(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff ? at + 1 : at;
}
