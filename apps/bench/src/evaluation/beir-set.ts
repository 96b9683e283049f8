import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonLines } from './json-lines.ts';

const CorpusLine = z.object({ _id: z.string().min(1), title: z.string().default(''), text: z.string() });
const QueryLine = z.object({ _id: z.string().min(1), text: z.string() });

export interface CorpusDocument {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

/** A retrieval set in the layout of BEIR (Thakur et al. 2021). */
export interface BeirSet {
  readonly documents: readonly CorpusDocument[];
  /** Only those with at least one relevant document: the others have no ideal ranking. */
  readonly queries: readonly { readonly id: string; readonly text: string }[];
  /** Grade of relevance by query and document; what is not there is not relevant. */
  readonly judgements: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** Reads `corpus.jsonl`, `queries.jsonl` and `qrels.tsv`. @throws Error naming file and line of what is malformed */
export async function readBeirSet(folder: string): Promise<BeirSet> {
  const corpus = await readJsonLines(join(folder, 'corpus.jsonl'), CorpusLine);
  const queries = await readJsonLines(join(folder, 'queries.jsonl'), QueryLine);
  const judgements = readJudgements(join(folder, 'qrels.tsv'), await readFile(join(folder, 'qrels.tsv'), 'utf8'));
  const judged = queries.filter(({ _id }) => [...(judgements.get(_id)?.values() ?? [])].some((grade) => grade > 0));
  if (judged.length === 0) throw new Error(`${folder}: no query has a relevant document`);
  return {
    documents: corpus.map(({ _id, title, text }) => ({ id: _id, title, text })),
    queries: judged.map(({ _id, text }) => ({ id: _id, text })),
    judgements,
  };
}

/** Lines of query, document and grade, separated by tabs, after one line of headings. */
export function readJudgements(path: string, text: string): Map<string, Map<string, number>> {
  const judgements = new Map<string, Map<string, number>>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (index === 0 || line === '') continue;
    const [query, document, grade] = line.split('\t');
    if (!query || !document || grade === undefined || !Number.isFinite(Number.parseFloat(grade))) {
      throw new Error(`${path}:${index + 1} is not query, document and grade separated by tabs`);
    }
    const ofQuery = judgements.get(query) ?? new Map<string, number>();
    judgements.set(query, ofQuery.set(document, Number.parseFloat(grade)));
  }
  return judgements;
}
