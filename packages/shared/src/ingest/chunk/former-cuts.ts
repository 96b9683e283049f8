import type { Chunk } from '../../contracts/model/chunk.ts';
import type { Range } from './partition.ts';
import type { Unit } from './units.ts';

/** A chunk of an earlier version, as far as its cuts can be told from it. */
export type FormerChunk = Pick<Chunk, 'text' | 'span'>;

/** Texts are told apart by so many characters before they are compared in whole. */
const keyCharacters = 16;
/** Different texts with the same beginning that are compared at one place: bounds the time for monotonous text. */
const maxCandidates = 8;

/**
 * Finds the chunks of an earlier version whose own text (without what they repeat of the chunk before) stands in this
 * one, letter by letter and from unit to unit: half-open ranges of units, in order, apart from each other. Cut there
 * again, such a chunk keeps its vector.
 */
export function keptRanges(text: string, units: readonly Unit[], former: readonly FormerChunk[]): Range[] {
  const cores = ownTexts(former);
  // From both ends first: where much of a text is alike, only its place tells which chunk is which.
  const first = fromStart(text, units, cores);
  const last = fromEnd(text, units, cores.slice(first.length), first.at(-1)?.to ?? 0);
  const between = { from: first.at(-1)?.to ?? 0, to: last[0]?.from ?? units.length };
  const rest = cores.slice(first.length, cores.length - last.length);
  return [...first, ...anywhere(text, units, between, rest), ...last];
}

function fromStart(text: string, units: readonly Unit[], cores: readonly string[]): Range[] {
  const kept: Range[] = [];
  let from = 0;
  for (const core of cores) {
    const start = units[from]?.start;
    if (start === undefined || !text.startsWith(core, start)) break;
    let to = from + 1;
    while (to < units.length && units[to]!.start < start + core.length) to += 1;
    if (units[to - 1]!.end !== start + core.length) break;
    kept.push({ from, to });
    from = to;
  }
  return kept;
}

function fromEnd(text: string, units: readonly Unit[], cores: readonly string[], least: number): Range[] {
  const kept: Range[] = [];
  let to = units.length;
  for (const core of cores.toReversed()) {
    const end = units[to - 1]?.end;
    if (to <= least || end === undefined || !text.endsWith(core, end)) break;
    let from = to - 1;
    while (from > least && units[from]!.start > end - core.length) from -= 1;
    if (units[from]!.start !== end - core.length) break;
    kept.unshift({ from, to });
    to = from;
  }
  return kept;
}

/** Looks at every unit for one of the chunks: text that was moved, and all between several edits. */
function anywhere(text: string, units: readonly Unit[], { from: least, to: most }: Range, cores: readonly string[]) {
  const byBeginning = new Map<string, Map<string, number>>();
  cores.forEach((core, index) => {
    // What is shorter is cut again, most likely the same.
    if (core.length < keyCharacters) return;
    const beginning = core.slice(0, keyCharacters);
    const known = byBeginning.get(beginning) ?? new Map<string, number>();
    if (known.size < maxCandidates && !known.has(core)) known.set(core, index);
    byBeginning.set(beginning, known);
  });
  const kept: Range[] = [];
  if (byBeginning.size === 0) return kept;
  const endingAt = new Map<number, number>();
  for (let index = least; index < most; index++) endingAt.set(units[index]!.end, index);
  let next = 0;
  for (let from = least; from < most; ) {
    const start = units[from]!.start;
    const candidates = byBeginning.get(text.slice(start, start + keyCharacters));
    let last: number | undefined;
    // The one that followed before is the likeliest to follow now.
    for (const core of candidates ? [cores[next] ?? '', ...candidates.keys()] : []) {
      if (core.length < keyCharacters || !text.startsWith(core, start)) continue;
      last = endingAt.get(start + core.length);
      if (last === undefined) continue;
      next = (cores[next] === core ? next : candidates!.get(core)!) + 1;
      break;
    }
    if (last !== undefined) kept.push({ from, to: last + 1 });
    from = (last ?? from) + 1;
  }
  return kept;
}

function ownTexts(former: readonly FormerChunk[]): string[] {
  let covered = 0;
  return former.map(({ text, span }) => {
    const own = text.slice(Math.max(0, covered - span.start)).trimStart();
    covered = span.end;
    return own;
  });
}
