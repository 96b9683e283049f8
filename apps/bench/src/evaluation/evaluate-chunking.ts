import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inParallel } from '@semantic-memory/client/in-parallel';
import type { Service } from '@semantic-memory/e2e/service';
import { z } from 'zod';
import { type Ingested, ingestDocuments } from './ingest-documents.ts';
import { readJsonLines } from './json-lines.ts';
import { type ModeName, searchModes } from './modes.ts';
import { collectScores, type Scores } from './scores.ts';
import { seededSample } from './seeded-sample.ts';
import { type Stretch, spanScores } from './span-metrics.ts';

const depths = [1, 3, 5, 10];
const askedAtOnce = 2;

const QuestionLine = z.object({
  _id: z.string().min(1),
  text: z.string().min(1),
  corpus: z.string().min(1),
  references: z.array(z.object({ start: z.int().min(0), end: z.int().min(1), content: z.string().min(1) })).min(1),
});

export interface ChunkingReport extends Ingested {
  readonly set: string;
  readonly questions: number;
  readonly charactersPerChunk: number;
}

/**
 * Whole texts (`corpora/NAME.md`) and questions with the characters that answer them: how much of these the first chunks
 * hold. All texts are searched together.
 */
export async function evaluateChunking(
  service: Service,
  set: { readonly name: string; readonly folder: string },
  options: { readonly modes: readonly ModeName[]; readonly maxQueries: number; readonly seed: number },
): Promise<{ report: ChunkingReport; scores: Scores[] }> {
  const namespace = set.name;
  const documentIdOf = (corpus: string) => `${namespace}:${corpus}`;
  const corpora = await readCorpora(set.folder);
  const ingested = await ingestDocuments(
    service,
    namespace,
    // As plain text, whose characters stay where they are: the spans of the questions point at them.
    [...corpora].map(([name, text]) => ({ documentId: documentIdOf(name), title: '', text, mediaType: 'text/plain' })),
  );
  const starts = new Map<string, number>();
  for (const [name, text] of corpora)
    starts.set(name, startOf(name, text, await service.client.text(documentIdOf(name))));
  const questions = await readJsonLines(join(set.folder, 'questions.jsonl'), QuestionLine);
  const asked = seededSample(questions, options.maxQueries, options.seed);
  const scores: Scores[] = [];
  for (const mode of options.modes) {
    const items = await inParallel(asked, askedAtOnce, async ({ _id, text, corpus, references }) => {
      const relevant = references.map(({ start, end, content }): Stretch => {
        if (corpora.get(corpus)?.slice(start, end) !== content) throw new Error(`${_id} points beside ${corpus}`);
        const before = starts.get(corpus) ?? 0;
        return { documentId: documentIdOf(corpus), start: Math.max(0, start - before), end: end - before };
      });
      const request = { query: text, namespace, topK: Math.max(...depths), highlight: false, ...searchModes[mode] };
      const { hits } = await service.client.search(request);
      const retrieved = hits.map(({ documentId, span }): Stretch => ({ documentId, ...span }));
      return { id: _id, metrics: metricsOf(retrieved, relevant) };
    });
    scores.push(collectScores({ part: 'chunking', set: set.name, mode }, items));
  }
  const characters = [...corpora.values()].reduce((sum, text) => sum + text.length, 0);
  const charactersPerChunk = Math.round(characters / ingested.chunks);
  return { report: { set: set.name, ...ingested, questions: asked.length, charactersPerChunk }, scores };
}

/** Where the service's text begins in the corpus: white space around a text is left out. @throws Error where more is */
function startOf(name: string, text: string, kept: string): number {
  const start = text.indexOf(kept);
  if (kept === '' || start < 0) throw new Error(`the text of ${name} was changed`);
  return start;
}

function metricsOf(retrieved: readonly Stretch[], relevant: readonly Stretch[]): Record<string, number> {
  const byDepth = depths.map((depth) => [depth, spanScores(retrieved.slice(0, depth), relevant)] as const);
  return Object.fromEntries([
    ...byDepth.map(([depth, { recall }]) => [`recall@${depth}`, recall]),
    ...byDepth.map(([depth, { precision }]) => [`precision@${depth}`, precision]),
  ]);
}

async function readCorpora(folder: string): Promise<Map<string, string>> {
  const files = (await readdir(join(folder, 'corpora'))).filter((name) => name.endsWith('.md')).sort();
  const corpora = new Map<string, string>();
  for (const file of files) corpora.set(file.slice(0, -3), await readFile(join(folder, 'corpora', file), 'utf8'));
  return corpora;
}
