import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonLines } from './json-lines.ts';
import { shuffled } from './seeded-sample.ts';

const AnswersLine = z.object({
  'query-id': z.string(),
  'corpus-id': z.string(),
  answers: z.array(z.string()).min(1),
});
const QueryLine = z.object({ _id: z.string(), text: z.string().min(1) });
const UnanswerableLine = z.object({ 'query-id': z.string(), text: z.string().min(1) });

/** Both halves of a group: thresholds are chosen on the first and judged on the second. */
export const halves = ['calibration', 'report'] as const;
export type Half = (typeof halves)[number];

export interface Question {
  readonly id: string;
  readonly text: string;
  readonly half: Half;
}

export interface AnswerableQuestion extends Question {
  readonly answers: readonly string[];
  /** Of the document in which they were found. */
  readonly corpusId: string;
}

export interface AnswerSet {
  readonly answerable: readonly AnswerableQuestion[];
  /** About what the documents say, which does not answer them. */
  readonly adversarial: readonly Question[];
  /** About other things. */
  readonly offTopic: readonly Question[];
}

/**
 * Questions of a retrieval set that has accepted answers (`answers.jsonl`), such as have none (`unanswerable.jsonl`, where it
 * is there), and questions about other things.
 * @param offTopicFile JSONL as `queries.jsonl`
 * @param maxQuestions of each group, chosen by the seed
 * @returns undefined where the set has no answers
 */
export async function readAnswerSet(
  folder: string,
  offTopicFile: string,
  { maxQuestions, seed }: { readonly maxQuestions: number; readonly seed: number },
): Promise<AnswerSet | undefined> {
  if (!(await exists(join(folder, 'answers.jsonl')))) return undefined;
  const lines = await readJsonLines(join(folder, 'answers.jsonl'), AnswersLine);
  const texts = new Map(
    (await readJsonLines(join(folder, 'queries.jsonl'), QueryLine)).map(({ _id, text }) => [_id, text]),
  );
  const answerable = lines.map((line) => {
    const text = texts.get(line['query-id']);
    if (text === undefined) throw new Error(`${folder}: answers.jsonl has ${line['query-id']}, queries.jsonl has not`);
    return { id: line['query-id'], text, answers: line.answers, corpusId: line['corpus-id'] };
  });
  const unanswerableFile = join(folder, 'unanswerable.jsonl');
  const unanswerable = (await exists(unanswerableFile)) ? await readJsonLines(unanswerableFile, UnanswerableLine) : [];
  const offTopic = await readJsonLines(offTopicFile, QueryLine);
  const halved = <Item extends { readonly id: string }>(items: readonly Item[]) => {
    const chosen = shuffled(items, seed).slice(0, maxQuestions);
    return chosen.map((item, index) => ({ ...item, half: halves[index % 2] as Half }));
  };
  return {
    answerable: halved(answerable),
    adversarial: halved(unanswerable.map((line) => ({ id: line['query-id'], text: line.text }))),
    offTopic: halved(offTopic.map(({ _id, text }) => ({ id: _id, text }))),
  };
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
