import { expect, test } from '@jest/globals';
import type { Chunk } from '../../contracts/model/chunk.ts';
import { fakeTokenizer } from '../../testing/fake-embedder.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { type ChunkInput, chunkDocument } from './chunk-document.ts';

const words = (
  'memory queue vector harbour lantern orchard granite velvet signal copper meadow archive bridge candle ' +
  'river storm winter harvest ledger anchor compass pepper mirror thunder quarry saddle timber cotton'
).split(' ');

function sentence(random: () => number, length = 8 + Math.floor(random() * 14)): string {
  const picked = Array.from({ length }, () => words[Math.floor(random() * words.length)]!);
  const text = picked.join(' ');
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}

const paragraph = (random: () => number, sentences = 2 + Math.floor(random() * 5)) =>
  Array.from({ length: sentences }, () => sentence(random)).join(' ');

const input = (text: string): ChunkInput => ({
  text: { text, pages: [] },
  title: 'Handbook',
  tenant: 'acme',
  documentId: 'doc-1',
  version: 1,
  model: 'fake',
  tokenizer: fakeTokenizer,
});

function chunk(text: string, more: Partial<ChunkInput> = {}): Chunk[] {
  const chunks = chunkDocument({ ...input(text), ...more });
  check(text, chunks);
  return chunks;
}

/** What holds for every text. */
function check(text: string, chunks: readonly Chunk[]): void {
  let covered = 0;
  chunks.forEach((part, index) => {
    expect(part.index).toBe(index);
    expect(part.text).toBe(text.slice(part.span.start, part.span.end));
    expect(part.text).toBe(part.text.trim());
    expect(part.tokens).toBe(fakeTokenizer.tokenize(part.text).length);
    expect(part.tokens).toBeLessThanOrEqual(chunks.length === 1 ? 510 : 290);
    expect(fakeTokenizer.tokenize(part.embedText).length).toBeLessThanOrEqual(510);
    expect(part.embedText.endsWith(part.text)).toBe(true);
    expect(part.text.isWellFormed()).toBe(text.isWellFormed());
    const gap = index === 0 ? '' : text.slice(covered, part.span.start);
    expect(part.before ?? '').toBe(gap.length > 64 ? '' : gap);
    expect(text.slice(covered, part.span.start).trim()).toBe('');
    expect(part.span.end).toBeGreaterThan(covered);
    covered = part.span.end;
  });
  expect(text.slice(covered).trim()).toBe('');
}

test('keeps a short text without headings whole, under its title', () => {
  const text = paragraph(seededRandom(1), 20);
  const [only, ...rest] = chunk(`\n${text}\n\nAnd a last word.\n`);
  expect(rest).toEqual([]);
  expect(only).toMatchObject({ text: `${text}\n\nAnd a last word.`, headings: [], span: { start: 1 } });
  expect(only!.embedText).toBe(`Handbook\n${only!.text}`);
});

test('keeps 510 tokens whole and cuts 511', () => {
  const text = Array.from({ length: 510 }, () => 'word').join(' ');
  expect(chunk(text)).toHaveLength(1);
  expect(chunk(text)[0]!.embedText).toBe(text);
  expect(chunk(`${text} word`).length).toBeGreaterThan(1);
});

test('makes no chunk of nothing', () => {
  expect(chunk('')).toEqual([]);
  expect(chunk(' \n\t\n ')).toEqual([]);
});

test('makes a chunk of each section, with the headings that lead to it', () => {
  const random = seededRandom(2);
  const text = `# Guide\n\n${paragraph(random, 4)}\n\n## Install *now*\n\n${paragraph(random, 4)}\n\nOn Linux\n---\n\n${paragraph(random, 4)}\n\n### [Debian](https://example.org)\n\n${paragraph(random, 4)}`;
  const chunks = chunk(text, { title: 'Guide' });
  expect(chunks.map((part) => part.headings)).toEqual([
    ['Guide'],
    ['Guide', 'Install now'],
    ['Guide', 'On Linux'],
    ['Guide', 'On Linux', 'Debian'],
  ]);
  expect(chunks[1]!.text.startsWith('## Install *now*\n\n')).toBe(true);
  expect(chunks[1]!.embedText).toBe(`Guide > Install now\n${chunks[1]!.text}`);
  expect(chunk(text)[1]!.embedText).toBe(`Handbook\nGuide > Install now\n${chunks[1]!.text}`);
});

test('puts tiny sections together, but never across a top heading', () => {
  const short = (title: string) => `## ${title}\n\nShort answer here.`;
  const text = `# One\n\n${short('A')}\n\n${short('B')}\n\n# Two\n\n${short('C')}\n\n${short('D')}`;
  const chunks = chunk(text);
  expect(chunks.map((part) => part.headings)).toEqual([['One'], ['Two']]);
  const many = Array.from({ length: 60 }, (_, i) => short(`Question ${i}`)).join('\n\n');
  expect(chunk(`# All\n\n${many}`).length).toBeLessThan(12);
});

test('gives each chunk about 200 tokens, with up to 50 from the one before, in whole sentences', () => {
  const random = seededRandom(3);
  const text = Array.from({ length: 200 }, () => paragraph(random)).join('\n\n');
  const chunks = chunk(text);
  const sizes = chunks.map((part) => part.tokens);
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  expect(mean).toBeGreaterThan(140);
  expect(mean).toBeLessThan(230);
  let overlapping = 0;
  for (let i = 1; i < chunks.length; i++) {
    const shared = text.slice(chunks[i]!.span.start, chunks[i - 1]!.span.end);
    expect(fakeTokenizer.tokenize(shared).length).toBeLessThanOrEqual(50);
    expect(chunks[i]!.text).toMatch(/^[A-Z]/);
    expect(chunks[i]!.text).toMatch(/\.$/);
    if (shared !== '') overlapping++;
  }
  expect(overlapping / chunks.length).toBeGreaterThan(0.8);
});

test('keeps a table whole where it fits', () => {
  const random = seededRandom(4);
  const table = `| Port | Use |\n|---|---|\n${Array.from({ length: 20 }, (_, i) => `| ${8000 + i} | ${words[i]} |`).join('\n')}`;
  const text = `${paragraph(random, 12)}\n\n${table}\n\n${paragraph(random, 12)}`;
  expect(chunk(text).filter((part) => part.text.includes(table))).toHaveLength(1);
});

test('cuts a long table by rows and repeats its header only in what is embedded', () => {
  const rows = Array.from({ length: 120 }, (_, i) => `| ${1000 + i} | ${words[i % words.length]} | yes |`);
  const header = '| Number | Word | Known |\n|--------|------|-------|';
  const chunks = chunk(`${header}\n${rows.join('\n')}`);
  expect(chunks.length).toBeGreaterThan(3);
  for (const part of chunks.slice(1)) {
    expect(part.text).not.toContain('Number');
    expect(part.embedText).toBe(`Handbook\n${header}\n${part.text}`);
    for (const line of part.text.split('\n')) expect(rows).toContain(line);
  }
});

test('cuts fenced code by lines, and sees no heading in it', () => {
  const lines = Array.from({ length: 120 }, (_, i) => `# step ${i}: run ${words[i % words.length]} --with=${i}`);
  const chunks = chunk(`\`\`\`sh\n${lines.join('\n')}\n\`\`\``);
  expect(chunks.length).toBeGreaterThan(3);
  for (const part of chunks) {
    expect(part.headings).toEqual([]);
    for (const line of part.text.split('\n')) expect([...lines, '```sh', '```']).toContain(line);
  }
});

test('says on which page a chunk begins', () => {
  const random = seededRandom(5);
  const pages = Array.from({ length: 6 }, () => paragraph(random, 14));
  let start = 0;
  const spans = pages.map((page, i) => {
    const span = { start, end: start + page.length };
    start = span.end + 2;
    return { number: i + 1, span };
  });
  const text = pages.join('\n\n');
  for (const part of chunk(text, { text: { text, pages: spans } })) {
    const page = spans.find(({ span }) => part.span.start >= span.start && part.span.start < span.end);
    expect(part.page).toBe(page!.number);
  }
});

test('gives ids that are the same each time and differ by tenant, document, version and index', () => {
  const text = paragraph(seededRandom(6), 100);
  const ids = (more: Partial<ChunkInput>) => chunk(text, more).map((part) => part.chunkId);
  expect(ids({})).toEqual(ids({}));
  const all = [ids({}), ids({ tenant: 'other' }), ids({ documentId: 'doc-2' }), ids({ version: 2 })].flat();
  expect(new Set(all).size).toBe(all.length);
  for (const id of all) expect(id).toMatch(/^[0-9a-f]{32}$/);
});

test('tells by its hash whether the same is embedded by the same model', () => {
  const text = paragraph(seededRandom(7), 3);
  const hash = (more: Partial<ChunkInput>) => chunk(text, more)[0]!.contentHash;
  expect(hash({ version: 2, tenant: 'other' })).toBe(hash({}));
  expect(hash({ model: 'another' })).not.toBe(hash({}));
  expect(hash({ title: 'Another' })).not.toBe(hash({}));
});

/** A hundred paragraphs, ten to a section where there are headings. */
function hundred(seed: number, headings: boolean): string[] {
  const random = seededRandom(seed);
  return Array.from({ length: 100 }, (_, i) =>
    headings && i % 10 === 0 ? `## Part ${i / 10}\n\n${paragraph(random)}` : paragraph(random),
  );
}

const edits: Record<string, (paragraphs: string[], at: number) => void> = {
  'a word within': (paragraphs, at) => {
    paragraphs[at] = paragraphs[at]!.replace(/(.{60,}?) \w+/s, '$1 replacement');
  },
  'a new beginning': (paragraphs, at) => {
    paragraphs[at] = `Unheard of, but new here. ${paragraphs[at]}`;
  },
  'an insertion': (paragraphs, at) => void paragraphs.splice(at, 0, paragraph(seededRandom(1000 + at))),
  'a deletion': (paragraphs, at) => void paragraphs.splice(at, 1),
};

test.each(
  Object.keys(edits).flatMap((edit) => [
    { edit, headings: false },
    { edit, headings: true },
  ]),
)('changes at most three chunks of a hundred paragraphs by $edit (headings: $headings)', ({ headings, edit }) => {
  const changed: number[] = [];
  for (const seed of [11, 12, 13]) {
    const paragraphs = hundred(seed, headings);
    const before = new Set(chunkDocument(input(paragraphs.join('\n\n'))).map((part) => part.contentHash));
    // Never the paragraph with the heading: a heading stands in each chunk of its section.
    for (const at of [1, 2, 9, 13, 24, 35, 46, 57, 68, 79, 98]) {
      const edited = [...paragraphs];
      edits[edit]!(edited, at);
      const after = chunkDocument(input(edited.join('\n\n')));
      changed.push(after.filter((part) => !before.has(part.contentHash)).length);
    }
  }
  expect(Math.max(...changed)).toBeGreaterThan(0);
  if (edit === 'a word within') expect(Math.max(...changed)).toBeLessThanOrEqual(3);
  // About one in a hundred new beginnings draws the cut of a wide range to itself: one more chunk changes then.
  else expect(changed.filter((count) => count > 3).length).toBeLessThanOrEqual(1);
  expect(Math.max(...changed)).toBeLessThanOrEqual(5);
});

test('holds its promises for random texts', () => {
  const random = seededRandom(8);
  const parts = [
    () => sentence(random),
    () => `${'#'.repeat(1 + Math.floor(random() * 4))} ${sentence(random, 3)}`,
    () => `| a | b |\n|---|---|\n| ${sentence(random)} | 2 |\n| 3 | ${sentence(random)} |`,
    () => `\`\`\`\n${sentence(random)}\n\n${sentence(random)}\n\`\`\``,
    () => `- ${sentence(random)}\n- ${sentence(random)}\n1. ${sentence(random)}`,
    () => '数据库记住一切。检索返回引用！'.repeat(1 + Math.floor(random() * 20)),
    () => '🚀👩‍👩‍👧𝒳'.repeat(1 + Math.floor(random() * 300)),
    () => 'x'.repeat(Math.floor(random() * 3000)),
    () => ' \u200b\ufeff\t'.repeat(1 + Math.floor(random() * 400)),
    () => '.'.repeat(Math.floor(random() * 900)),
    () => '```',
    () => '---',
    () => Array.from({ length: 1 + Math.floor(random() * 700) }, () => words[Math.floor(random() * 28)]).join(' '),
  ];
  for (let round = 0; round < 60; round++) {
    const count = Math.floor(random() * 25);
    const pieces = Array.from({ length: count }, () => parts[Math.floor(random() * parts.length)]!());
    chunk(pieces.join(random() < 0.5 ? '\n\n' : '\n'), { title: random() < 0.2 ? sentence(random, 400) : 'Handbook' });
  }
});

test('never parts a surrogate pair', () => {
  for (const part of chunk(`a${'\u{1f680}'.repeat(5000)}`)) expect(part.text.isWellFormed()).toBe(true);
});

test.each([
  ['one word', 'x'.repeat(400_000)],
  ['ideographs', '记忆'.repeat(200_000)],
  ['words without an end of sentence', 'harbour lantern '.repeat(25_000)],
  ['short lines', 'harbour lantern\n'.repeat(25_000)],
  ['dots', '.'.repeat(400_000)],
  ['blank space between two words', `a${' '.repeat(400_000)}b`],
])(
  'cuts 400,000 characters of %s in time that grows with the text',
  (_, text) => {
    const startedAt = performance.now();
    const chunks = chunkDocument(input(text));
    // A fraction of a second on an idle core; a quadratic step takes many minutes.
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    expect(chunks.filter((part) => part.tokens > 290 || part.text.length > 20_000)).toEqual([]);
    expect(chunks.at(-1)!.span.end).toBe(text.trimEnd().length);
  },
  60_000,
);

test('where units have more tokens together than apart, they come in more chunks', () => {
  // As a model that reads the joints of a long text as tokens of their own.
  const joints = (text: string) =>
    Array.from(text.matchAll(/\.\s/g), ({ index }) => ({ id: 1, start: index, end: index + 1 }));
  const tokenizer = {
    tokenize: (text: string) => [
      ...fakeTokenizer.tokenize(text),
      ...(text.length > 900 ? Array(3).fill(joints(text)).flat() : []),
    ],
  };
  const text = paragraph(seededRandom(17), 60);
  const chunks = chunkDocument({ ...input(text), tokenizer });
  for (const part of chunks) expect(tokenizer.tokenize(part.text).length).toBeLessThanOrEqual(290);
  expect(chunks.length).toBeGreaterThan(chunk(text).length);
  let covered = 0;
  for (const { span } of chunks) {
    expect(text.slice(covered, span.start).trim()).toBe('');
    covered = span.end;
  }
  expect(text.slice(covered).trim()).toBe('');
});
