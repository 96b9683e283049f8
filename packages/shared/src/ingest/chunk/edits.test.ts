import { expect, test } from '@jest/globals';
import type { Chunk } from '../../contracts/model/chunk.ts';
import { fakeTokenizer } from '../../testing/fake-embedder.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { chunkDocument } from './chunk-document.ts';

/** The promise: after one paragraph of a hundred was edited, put in or taken out, at most so many chunks are embedded. */
const mostChanged = 3;

type Random = () => number;

const words = (
  'memory queue vector harbour lantern orchard granite velvet signal copper meadow archive bridge candle ' +
  'river storm winter harvest ledger anchor compass pepper mirror thunder quarry saddle timber cotton'
).split(' ');
const between = (random: Random, low: number, high: number) => low + Math.floor(random() * (high - low + 1));
const some = (random: Random, count: number) =>
  Array.from({ length: count }, () => words[Math.floor(random() * words.length)]!).join(' ');
const sentence = (random: Random, length = between(random, 8, 21)) => {
  const text = some(random, length);
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
};
const prose = (random: Random, sentences = between(random, 2, 6)) =>
  Array.from({ length: sentences }, () => sentence(random)).join(' ');

/** A document of a hundred parts of one kind; `headingBefore` gives those that stand above a part. */
interface Shape {
  readonly part: (random: Random) => string;
  readonly separator: string;
  readonly before?: string;
  readonly headingBefore?: (index: number) => string | undefined;
}

const shapes: Record<string, Shape> = {
  'prose without headings': { part: prose, separator: '\n\n' },
  'prose with headings': {
    part: prose,
    separator: '\n\n',
    headingBefore: (index) => (index % 10 === 0 ? `## Part ${index}` : undefined),
  },
  'deep headings': {
    part: prose,
    separator: '\n\n',
    headingBefore: (index) => (index % 3 === 0 ? `${'#'.repeat(1 + ((index / 3) % 4))} Chapter ${index}` : undefined),
  },
  'short questions and answers': {
    part: (random) => sentence(random, between(random, 3, 12)),
    separator: '\n\n',
    headingBefore: (index) => `## Question ${index}`,
  },
  'short paragraphs': { part: (random) => sentence(random, between(random, 2, 9)), separator: '\n\n' },
  'long paragraphs': { part: (random) => prose(random, between(random, 7, 11)), separator: '\n\n' },
  'paragraphs without an end of sentence': {
    part: (random) => some(random, between(random, 20, 90)),
    separator: '\n\n',
  },
  'a list': { part: (random) => `- ${prose(random, between(random, 1, 3))}`, separator: '\n' },
  'a loose list with numbers': { part: (random) => `1. ${prose(random, between(random, 1, 3))}`, separator: '\n\n' },
  'a table': {
    part: (random) => `| ${some(random, 2)} | ${between(random, 1, 9999)} | ${some(random, between(random, 1, 12))} |`,
    separator: '\n',
    before: '| Name | Number | Remark |\n|---|---|---|\n',
  },
  'lines of equal text': { part: (random) => words[Math.floor(random() * 2)]!.repeat(30), separator: '\n\n' },
};

interface Document {
  readonly parts: readonly string[];
  readonly headings: readonly (string | undefined)[];
}

const made = ({ part, headingBefore }: Shape, random: Random): Document => {
  const parts = Array.from({ length: 100 }, () => part(random));
  return { parts, headings: parts.map((_, index) => headingBefore?.(index)) };
};

const textOf = ({ before = '', separator }: Shape, { parts, headings }: Document) =>
  before + parts.map((part, at) => (headings[at] ? `${headings[at]}\n\n${part}` : part)).join(separator);

const cut = (text: string, former?: readonly Chunk[]) =>
  chunkDocument({
    text: { text, pages: [] },
    title: 'Handbook',
    tenant: 'acme',
    documentId: 'doc-1',
    version: 1,
    model: 'fake',
    tokenizer: fakeTokenizer,
    former,
  });

const replaced = ({ parts, headings }: Document, at: number, part: string): Document => ({
  parts: parts.with(at, part),
  headings,
});

/** Headings stay where they are: a heading stands in each chunk of its section. */
const edits: Record<string, (document: Document, at: number, shape: Shape, random: Random) => Document> = {
  'a word changed': (document, at) => {
    const text = document.parts[at]!;
    const middle = text.indexOf(' ', text.length / 2);
    return replaced(document, at, middle < 0 ? `${text}s` : `${text.slice(0, middle)} altered${text.slice(middle)}`);
  },
  'a new beginning': (document, at) =>
    replaced(document, at, document.parts[at]!.replace(/(\w)/, 'Unheard of, but here nonetheless: $1')),
  'a new end': (document, at) => replaced(document, at, document.parts[at]!.replace(/(\w)(\W*)$/, '$1 to the end$2')),
  'another text': (document, at, shape, random) => replaced(document, at, shape.part(random)),
  'an insertion': (document, at, shape, random) => ({
    parts: document.parts.toSpliced(at, 0, shape.part(random)),
    // A heading above this place stays above what is put in.
    headings: document.headings.toSpliced(at + 1, 0, undefined),
  }),
  'a deletion': (document, at) => {
    const { parts, headings } = document;
    // The only part of its section leaves a word behind.
    if (headings[at] && headings[at + 1]) return replaced(document, at, 'Gone.');
    return { parts: parts.toSpliced(at, 1), headings: headings.toSpliced(headings[at] ? at + 1 : at, 1) };
  },
};

const changedChunks = (before: readonly Chunk[], after: readonly Chunk[]) => {
  const known = new Set(before.map((chunk) => chunk.contentHash));
  return after.filter((chunk) => !known.has(chunk.contentHash)).length;
};

function checkWhole(text: string, chunks: readonly Chunk[]): void {
  let covered = 0;
  for (const chunk of chunks) {
    expect(chunk.text).toBe(text.slice(chunk.span.start, chunk.span.end));
    expect(chunk.tokens).toBeLessThanOrEqual(chunks.length === 1 ? 510 : 290);
    expect(text.slice(covered, chunk.span.start).trim()).toBe('');
    covered = chunk.span.end;
  }
  expect(text.slice(covered).trim()).toBe('');
}

test.each(Object.keys(shapes))('one edit of a hundred parts changes at most three chunks: %s', (name) => {
  const shape = shapes[name]!;
  const worst: { edit: string; seed: number; at: number; changed: number }[] = [];
  let all = 0;
  for (let seed = 1; seed <= 2; seed += 1) {
    const document = made(shape, seededRandom(seed));
    const before = cut(textOf(shape, document));
    for (const [edit, apply] of Object.entries(edits)) {
      const random = seededRandom(1000 * seed + edit.length);
      for (const at of [0, 99, ...Array.from({ length: 3 }, () => between(random, 1, 98))]) {
        const text = textOf(shape, apply(document, at, shape, random));
        const after = cut(text, before);
        checkWhole(text, after);
        const changed = changedChunks(before, after);
        all += 1;
        if (changed > mostChanged) worst.push({ edit, seed, at, changed });
      }
    }
  }
  expect(all).toBe(60);
  expect(worst).toEqual([]);
});

test.each(Object.keys(shapes))('sixty edits one after the other leave chunks of ordinary size: %s', (name) => {
  const shape = shapes[name]!;
  const random = seededRandom(77);
  let document = made(shape, random);
  let chunks = cut(textOf(shape, document));
  const kinds = Object.values(edits);
  const worst: number[] = [];
  for (let round = 0; round < 60; round += 1) {
    const at = between(random, 0, document.parts.length - 1);
    document = kinds[Math.floor(random() * kinds.length)]!(document, at, shape, random);
    const after = cut(textOf(shape, document), chunks);
    const changed = changedChunks(chunks, after);
    if (changed > mostChanged) worst.push(changed);
    chunks = after;
  }
  expect(worst).toEqual([]);
  const text = textOf(shape, document);
  checkWhole(text, chunks);
  const fresh = cut(text);
  // No more of them than a first cut makes, give or take: sizes do not wear away.
  expect(chunks.length).toBeLessThanOrEqual(fresh.length * 1.15 + 1);
});

test('what is unchanged keeps its chunks wherever it stands: sections that change places are not embedded again', () => {
  const random = seededRandom(5);
  const sections = Array.from({ length: 12 }, (_, index) => `## Part ${index}\n\n${prose(random, 30)}`);
  const before = cut(sections.join('\n\n'));
  const moved = [...sections.slice(6), ...sections.slice(0, 6)].join('\n\n');
  expect(changedChunks(before, cut(moved, before))).toBe(0);
});

test('chunks of another text altogether change nothing', () => {
  const random = seededRandom(6);
  const text = Array.from({ length: 60 }, () => prose(random)).join('\n\n');
  const other = Array.from({ length: 60 }, () => prose(random)).join('\n\n');
  expect(cut(text, cut(other))).toEqual(cut(text));
});

test('the chunks of the same text are the same', () => {
  const text = Array.from({ length: 60 }, () => prose(seededRandom(7))).join('\n\n');
  const before = cut(text);
  expect(cut(text, before)).toEqual(before);
});
