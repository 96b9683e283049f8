import type { Tokenizer } from '../../ports/embedder.ts';
import { blocksOf } from './blocks.ts';
import { tinySectionTokens } from './limits.ts';
import type { Range } from './partition.ts';
import { weightOf } from './pieces.ts';
import { cutRank, type Unit, unitsOf } from './units.ts';

export interface SectionUnit extends Unit {
  /** The headings above, outermost first, the unit's own section last. */
  readonly path: readonly string[];
  /** Of the heading of the unit's own section; 0 before the first heading. */
  readonly level: number;
}

/** More blank characters than this between two units weigh as text does, or a chunk could hold a megabyte of them. */
export const ordinaryGap = 64;

interface Section extends Range {
  readonly level: number;
  readonly weight: number;
}

/**
 * Ranges of units that chunks are made of together; no new chunk holds units of two. A range for each section, save
 * that a tiny section goes together with those that follow.
 */
export function runsOf(units: readonly SectionUnit[], within: Range): Range[] {
  const runs: Range[] = [];
  let tiny: Section[] = [];
  const flush = () => {
    const [first] = tiny;
    if (first) runs.push({ from: first.from, to: tiny.at(-1)!.to });
    tiny = [];
  };
  for (const section of sectionsOf(units, within)) {
    // A section never goes together with one above it, nor with a new top heading.
    if (tiny.length > 0 && (section.level < tiny[0]!.level || section.level <= 1)) flush();
    if (section.weight < tinySectionTokens) tiny.push(section);
    else {
      const before = tiny.reduce((sum, other) => sum + other.weight, 0);
      if (before < tinySectionTokens) tiny.push(section);
      else {
        flush();
        tiny = [section];
      }
      flush();
    }
  }
  flush();
  return runs;
}

function* sectionsOf(units: readonly SectionUnit[], { from, to }: Range): Generator<Section> {
  for (let at = from; at < to; ) {
    const start = at;
    let weight = 0;
    do weight += units[at++]!.weight;
    while (at < to && units[at]!.rank > cutRank.section);
    yield { from: start, to: at, level: units[start]!.level, weight };
  }
}

/** The units of a text in order, each with the headings above it. */
export function* sectionUnitsOf(text: string, tokenizer: Tokenizer): Generator<SectionUnit, void> {
  const path: { level: number; title: string }[] = [];
  let titles: string[] = [];
  let level = 0;
  let before: Unit | undefined;
  let begins = true;
  for (const block of blocksOf(text)) {
    if (block.kind === 'heading') {
      while (path.length > 0 && path.at(-1)!.level >= block.level) path.pop();
      path.push({ level: block.level, title: block.title });
      titles = path.map((heading) => heading.title).filter((title) => title !== '');
      level = block.level;
      begins = true;
    }
    for (const unit of unitsOf(text, block, tokenizer)) {
      const afterHeading = before?.heading === true;
      const rank = begins ? cutRank.section : afterHeading ? cutRank.never : unit.rank;
      const gap = begins ? 0 : unit.start - before!.end;
      const weight = unit.weight + (gap > ordinaryGap ? weightOf(gap) : 0);
      yield { ...unit, weight, rank, path: titles, level };
      before = unit;
      begins = false;
    }
  }
}
