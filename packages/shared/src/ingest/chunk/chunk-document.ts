import { setImmediate as otherWork } from 'node:timers/promises';
import type { Chunk } from '../../contracts/model/chunk.ts';
import type { DocumentText } from '../../contracts/model/extraction.ts';
import type { Span } from '../../contracts/model/ids.ts';
import type { Tokenizer } from '../../ports/embedder.ts';
import { chunkIdOf } from './chunk-id.ts';
import { contentHashOf } from './content-hash.ts';
import { embedTextOf, wholeEmbedText } from './embed-text.ts';
import { type FormerChunk, keptRanges } from './former-cuts.ts';
import { textHash } from './hash.ts';
import { filledChunkTokens, maxChunkTokens, modelTokens, overlapTokens } from './limits.ts';
import { partition, type Range } from './partition.ts';
import { fewestParts, gapsBetween, recutTokens } from './recut.ts';
import { ordinaryGap, runsOf, type SectionUnit, sectionUnitsOf } from './sections.ts';
import { pushTrimmed } from './sentences.ts';
import { cutRank } from './units.ts';

export interface ChunkInput {
  readonly text: DocumentText;
  readonly title: string;
  readonly tenant: string;
  readonly documentId: string;
  readonly version: number;
  /** Names the embedding model: part of the content hash. */
  readonly model: string;
  /** Counts as that model counts. */
  readonly tokenizer: Tokenizer;
  /**
   * The chunks of an earlier version in reading order, none where there is none: where its text is unchanged, it is cut
   * as it was.
   */
  readonly former?: readonly FormerChunk[] | undefined;
}

/** Others get their turn after so many milliseconds. */
const turnMs = 20;
/** How much of a unit's beginning decides whether the text is cut before it: an edit further on moves no cut. */
const hashedCharacters = 48;

/**
 * Cuts a document into chunks of about 200 tokens (at most 290) along its headings, paragraphs and sentences, each
 * with up to 50 tokens of what came before it in its section. A text of up to 510 tokens without headings stays whole.
 *
 * Every character that is not blank is in some chunk; `text` is `input.text.text.slice(start, end)`. The same input
 * gives the same chunks. With the chunks of the version before, an edit of one paragraph (an insertion, a deletion)
 * changes at most three of them; without, those away from the edit still keep their `contentHash`. Time is linear in
 * the text, 2 to 4 MB a second.
 */
export function chunkDocument(input: ChunkInput): Chunk[] {
  return [...cutting(input)].filter((chunk) => chunk !== undefined);
}

/**
 * The same, for a process that has other things to do as well: a book takes a second, a file of a hundred megabytes
 * half a minute.
 * @throws the signal's reason
 */
export async function chunkDocumentInTurns(input: ChunkInput, signal: AbortSignal): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  let since = performance.now();
  for (const chunk of cutting(input)) {
    if (chunk) chunks.push(chunk);
    if (performance.now() - since < turnMs) continue;
    await otherWork();
    signal.throwIfAborted();
    since = performance.now();
  }
  return chunks;
}

/** The chunks in order, and undefined wherever something else may be done. */
function* cutting(input: ChunkInput): Generator<Chunk | undefined, void> {
  const draft = wholeText(input);
  if (draft !== undefined) {
    yield finish(input, draft, { index: 0, end: undefined });
    return;
  }
  const units: SectionUnit[] = [];
  for (const unit of sectionUnitsOf(input.text.text, input.tokenizer)) {
    units.push(unit);
    yield undefined;
  }
  const place: { index: number; end: number | undefined } = { index: 0, end: undefined };
  const parts = yield* partsOf(input, units);
  for (const part of parts)
    for (const drafted of draftsOf(input, units, part)) {
      yield finish(input, drafted, place);
      place.index += 1;
      place.end = drafted.span.end;
    }
}

interface Draft {
  readonly span: Span;
  readonly tokens: number;
  readonly headings: readonly string[];
  readonly embedText: string;
}

/** A short text without headings, as one. */
function wholeText({ text: { text }, title, tokenizer }: ChunkInput): Draft | undefined {
  const spans: Span[] = [];
  // No text of this many characters is short, and finding that out must cost nothing.
  if (text.length > modelTokens * 40) return undefined;
  pushTrimmed(text, spans, 0, text.length);
  const [span] = spans;
  if (span === undefined) return undefined;
  const units = [...sectionUnitsOf(text, tokenizer)];
  const weight = units.reduce((sum, unit) => sum + unit.weight, 0);
  if (units.some((unit) => unit.heading) || weight > 2 * modelTokens) return undefined;
  const body = text.slice(span.start, span.end);
  const tokens = tokenizer.tokenize(body).length;
  if (tokens > modelTokens - 2) return undefined;
  return { span, tokens, headings: [], embedText: wholeEmbedText(tokenizer, title, body, tokens) };
}

/** The units of each chunk without its overlap, in order. */
function* partsOf(
  { text: { text }, former }: ChunkInput,
  units: readonly SectionUnit[],
): Generator<undefined, Range[]> {
  const all = { from: 0, to: units.length };
  const found = former?.length ? keptRanges(text, units, former) : [];
  const { gaps, kept } = former?.length ? gapsBetween(units, found) : { gaps: [all], kept: [] };
  const parts = [...kept];
  for (const gap of gaps)
    for (const run of runsOf(units, gap)) {
      const weight = units.slice(run.from, run.to).reduce((sum, unit) => sum + unit.weight, 0);
      if (former?.length && weight <= recutTokens) parts.push(...fewestParts(units, run));
      else
        for (const part of byHash(text, units, run)) {
          parts.push(part);
          yield undefined;
        }
    }
  return parts.sort((a, b) => a.from - b.from);
}

function* byHash(text: string, units: readonly SectionUnit[], { from, to }: Range): Generator<Range, void> {
  const candidates = units.slice(from, to).map(({ start, end, weight, rank }) => {
    return { weight, rank, hash: textHash(text, start, Math.min(end, start + hashedCharacters)) };
  });
  for (const part of partition(candidates)) yield { from: from + part.from, to: from + part.to };
}

function* draftsOf(
  { text: { text }, title, tokenizer }: ChunkInput,
  run: readonly SectionUnit[],
  part: Range,
): Generator<Draft> {
  yield* fit(part.from, part.to);

  /** One draft; more where joining units has made more tokens than they had apart. */
  function* fit(from: number, to: number): Generator<Draft> {
    const end = run[to - 1]!.end;
    for (const first of new Set([overlapStart(run, from, to), from])) {
      const span = { start: run[first]!.start, end };
      const body = text.slice(span.start, span.end);
      const tokens = tokenizer.tokenize(body).length;
      if (tokens > maxChunkTokens && !(first === from && to - from === 1)) continue;
      const headings = commonPath(run.slice(from, to));
      const { header } = run[from]!;
      const tableHeader = header && text.slice(header.start, header.end);
      const embedText = embedTextOf(tokenizer, { title, headings, tableHeader, body });
      yield { span, tokens, headings, embedText };
      return;
    }
    const middle = Math.ceil((from + to) / 2);
    yield* fit(from, middle);
    yield* fit(middle, to);
  }
}

/** The first of the units before `from` that a chunk repeats: whole ones of the same section, no headings, no rows. */
function overlapStart(run: readonly SectionUnit[], from: number, to: number): number {
  if (run[from]!.rank === cutRank.section || run[from]!.header) return from;
  const own = run.slice(from, to).reduce((sum, unit) => sum + unit.weight, 0);
  const room = Math.min(overlapTokens, filledChunkTokens - own);
  let start = from;
  for (let weight = 0; start > 0; start--) {
    const unit = run[start - 1]!;
    weight += unit.weight;
    if (weight > room || unit.heading || unit.header) break;
    if (run[start]!.start - unit.end > ordinaryGap) break;
    if (unit.rank === cutRank.section) return start - 1;
  }
  return start;
}

/** The headings that all of the chunk's text stands under. */
function commonPath(units: readonly SectionUnit[]): readonly string[] {
  const texts = units.filter((unit) => !unit.heading);
  const paths = (texts.length > 0 ? texts : units).map((unit) => unit.path);
  const [first] = paths;
  const differs = first!.findIndex((title, depth) => paths.some((path) => path[depth] !== title));
  return differs < 0 ? first! : first!.slice(0, differs);
}

/** @param place the chunk's index, and where the one before it ends */
function finish(input: ChunkInput, draft: Draft, { index, end }: { index: number; end: number | undefined }): Chunk {
  const { tenant, documentId, version, model } = input;
  const { span, tokens, headings, embedText } = draft;
  const page = pageAt(input.text, span.start);
  const gap = span.start - (end ?? span.start);
  return {
    chunkId: chunkIdOf(tenant, documentId, version, index),
    index,
    text: input.text.text.slice(span.start, span.end),
    ...(page === undefined ? {} : { page }),
    headings: [...headings],
    span,
    ...(gap > 0 && gap <= ordinaryGap ? { before: input.text.text.slice(end, span.start) } : {}),
    tokens,
    embedText,
    contentHash: contentHashOf(model, embedText),
  };
}

/** The page in which a position lies; what lies between two pages belongs to the first. */
function pageAt({ pages }: DocumentText, position: number): number | undefined {
  let low = 0;
  let high = pages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pages[middle]!.span.start <= position) low = middle + 1;
    else high = middle;
  }
  return pages[low - 1]?.number;
}
