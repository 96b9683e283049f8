import type { Tokenizer } from '../../ports/embedder.ts';
import { blocksOf } from './blocks.ts';
import { tinySectionTokens } from './limits.ts';
import { weightOf } from './pieces.ts';
import { cutRank, type Unit, unitsOf } from './units.ts';

export interface SectionUnit extends Unit {
  /** The headings above, outermost first, the unit's own section last. */
  readonly path: readonly string[];
}

/** More blank characters than this between two units weigh as text does, or a chunk could hold a megabyte of them. */
export const ordinaryGap = 64;

interface Section {
  /** 0 for what comes before the first heading. */
  readonly level: number;
  readonly units: SectionUnit[];
  weight: number;
}

/** Units that chunks are made of together; no chunk holds units of two runs. */
export type Run = readonly SectionUnit[];

/** The text by sections: a run each, save that a tiny section goes together with those that follow. */
export function runsOf(text: string, tokenizer: Tokenizer): Run[] {
  const runs: Section[][] = [];
  let tiny: Section[] = [];
  const flush = () => {
    if (tiny.length > 0) runs.push(tiny);
    tiny = [];
  };
  for (const section of sectionsOf(text, tokenizer)) {
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
  return runs.map((sections) => sections.flatMap((section) => section.units));
}

function* sectionsOf(text: string, tokenizer: Tokenizer): Generator<Section> {
  const path: { level: number; title: string }[] = [];
  let section: Section = { level: 0, units: [], weight: 0 };
  let titles: string[] = [];
  for (const block of blocksOf(text)) {
    if (block.kind === 'heading') {
      if (section.units.length > 0) yield section;
      while (path.length > 0 && path.at(-1)!.level >= block.level) path.pop();
      path.push({ level: block.level, title: block.title });
      titles = path.map((heading) => heading.title).filter((title) => title !== '');
      section = { level: block.level, units: [], weight: 0 };
    }
    for (const unit of unitsOf(text, block, tokenizer)) {
      const first = section.units.length === 0;
      const afterHeading = section.units.at(-1)?.heading === true;
      const rank = first ? cutRank.section : afterHeading ? cutRank.never : unit.rank;
      const gap = unit.start - (section.units.at(-1)?.end ?? unit.start);
      const weight = unit.weight + (gap > ordinaryGap ? weightOf(gap) : 0);
      section.units.push({ ...unit, weight, rank, path: titles });
      section.weight += weight;
    }
  }
  if (section.units.length > 0) yield section;
}
