import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Service } from '@semantic-memory/e2e/service';
import { z } from 'zod';
import { ingestAll } from '../ingest-all.ts';
import { quantile } from '../statistics.ts';
import { readJsonLines } from './json-lines.ts';
import { collectScores, type Scores } from './scores.ts';
import { editDistance, wordsFound } from './text-distance.ts';

const ManifestLine = z.object({
  file: z.string().min(1),
  gt: z.string().min(1),
  kind: z.string().min(1),
  compare: z.enum(['exact case', 'case-insensitive']).default('exact case'),
});
type ManifestLine = z.infer<typeof ManifestLine>;

/** All pages of a kind together: what is wrong of all that stands there. */
interface OcrKind {
  readonly pages: number;
  readonly characterError: number;
  readonly wordError: number;
  readonly wordRecall: number;
  readonly medianCharacterError: number;
}

export interface OcrReport {
  readonly set: string;
  readonly seconds: number;
  readonly states: Readonly<Record<string, number>>;
  readonly kinds: Readonly<Record<string, OcrKind>>;
}

interface PageDistance {
  readonly kind: string;
  readonly file: string;
  readonly characters: number;
  readonly characterEdits: number;
  readonly words: number;
  readonly wordEdits: number;
  readonly wordsFound: number;
}

/** Images with their true text (`manifest.jsonl`, `gt/`): character and word error of what `/text` answers. */
export async function evaluateOcr(
  service: Service,
  set: { readonly name: string; readonly folder: string },
): Promise<{ report: OcrReport; scores: Scores[] }> {
  const namespace = set.name;
  const manifest = await readJsonLines(join(set.folder, 'manifest.jsonl'), ManifestLine);
  const documentIdOf = ({ file }: ManifestLine) => `${namespace}:${basename(file).replace(/[^A-Za-z0-9._-]/g, '-')}`;
  const isIngested = (await service.client.jobs({ namespace, limit: 1 })).items.length > 0;
  const run = await ingestAll(
    service,
    namespace,
    (isIngested ? [] : manifest).map((line) => async () => {
      const blob = new Blob([await readFile(join(set.folder, line.file))]);
      const fields = { namespace, documentId: documentIdOf(line) };
      return service.client.ingestFile({ blob, filename: basename(line.file) }, fields);
    }),
  );
  const pages: PageDistance[] = [];
  for (const line of manifest) {
    const truth = await readFile(join(set.folder, line.gt), 'utf8');
    const { state } = await service.client.document(documentIdOf(line));
    // A page without a text reads as an empty one: all of it is missing.
    const text = state === 'active' ? await service.client.text(documentIdOf(line)) : '';
    pages.push(distanceOf(line, text, truth));
  }
  const kinds = Object.fromEntries(
    [...new Set(pages.map(({ kind }) => kind))].map((kind) => [
      kind,
      pooled(pages.filter((page) => page.kind === kind)),
    ]),
  );
  const scores = collectScores(
    { part: 'ocr', set: set.name, mode: 'page' },
    pages.map((page) => ({
      id: page.file,
      metrics: {
        'character error': page.characterEdits / page.characters,
        'word error': page.wordEdits / page.words,
        'word recall': page.wordsFound / page.words,
      },
    })),
  );
  const report = { set: set.name, seconds: run.seconds, states: run.states, kinds: { ...kinds, all: pooled(pages) } };
  return { report, scores: [scores] };
}

function distanceOf({ kind, file, compare }: ManifestLine, text: string, truth: string): PageDistance {
  const comparable = (value: string) => {
    const plain = value.normalize('NFKC').replace(/\s+/g, ' ').trim();
    return compare === 'case-insensitive' ? plain.toLowerCase() : plain;
  };
  const [characters, trueCharacters] = [[...comparable(text)], [...comparable(truth)]];
  const [words, trueWords] = [comparable(text).split(' '), comparable(truth).split(' ')];
  return {
    ...{ kind, file: basename(file), characters: trueCharacters.length, words: trueWords.length },
    characterEdits: editDistance(characters, trueCharacters),
    wordEdits: editDistance(words, trueWords),
    wordsFound: wordsFound(trueWords, words),
  };
}

function pooled(pages: readonly PageDistance[]): OcrKind {
  const sum = (of: (page: PageDistance) => number) => pages.reduce((total, page) => total + of(page), 0);
  const characters = sum((page) => page.characters);
  const words = sum((page) => page.words);
  return {
    pages: pages.length,
    characterError: sum((page) => page.characterEdits) / characters,
    wordError: sum((page) => page.wordEdits) / words,
    wordRecall: sum((page) => page.wordsFound) / words,
    medianCharacterError: quantile(
      pages.map((page) => page.characterEdits / page.characters),
      0.5,
    ),
  };
}
