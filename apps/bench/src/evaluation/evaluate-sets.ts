import type { Service } from '@semantic-memory/e2e/service';
import { readAnswerSet } from './answer-set.ts';
import { type AnswersReport, evaluateAnswers } from './evaluate-answers.ts';
import { type ChunkingReport, evaluateChunking } from './evaluate-chunking.ts';
import { evaluateOcr, type OcrReport } from './evaluate-ocr.ts';
import { evaluateRetrieval, type RetrievalReport } from './evaluate-retrieval.ts';
import type { EvaluationSet } from './find-sets.ts';
import { ingestBeirSet } from './ingest-beir-set.ts';
import type { Scores } from './scores.ts';
import type { Settings } from './settings.ts';

/** More say little more, and each is an answer with its search. */
const maxQuestions = 400;

export interface Results {
  readonly retrieval: readonly RetrievalReport[];
  readonly answers: readonly AnswersReport[];
  readonly chunking: readonly ChunkingReport[];
  readonly ocr: readonly OcrReport[];
  /** By item, so that two evaluations can be compared. */
  readonly scores: readonly Scores[];
}

type Options = Pick<Settings, 'modes' | 'parts' | 'maxQueries' | 'seed'> & {
  /** Questions that none of the sets answers, as `queries.jsonl`. */
  readonly offTopicFile: string;
  /** Told what is being done. */
  readonly log: (line: string) => void;
};

/** Every part that was chosen, over every set that serves it. */
export async function evaluateSets(
  service: Service,
  sets: readonly EvaluationSet[],
  options: Options,
): Promise<Results> {
  const { parts, seed, log } = options;
  const retrieval: RetrievalReport[] = [];
  const answers: AnswersReport[] = [];
  const chunking: ChunkingReport[] = [];
  const ocr: OcrReport[] = [];
  const scores: Scores[] = [];
  const keep = <Report>(reports: Report[], result: { report: Report; scores: Scores[] }) => {
    reports.push(result.report);
    scores.push(...result.scores);
  };
  const wanted = (part: Settings['parts'][number]) => parts.includes(part);
  for (const set of sets) {
    if (set.kind === 'retrieval' && (wanted('retrieval') || wanted('answers'))) {
      log(`${set.name}: ingest`);
      const ingested = await ingestBeirSet(service, set);
      if (wanted('retrieval')) {
        log(`${set.name}: search`);
        keep(retrieval, await evaluateRetrieval(service, ingested, options));
      }
      const limits = { maxQuestions: Math.min(maxQuestions, options.maxQueries), seed };
      const asked = wanted('answers') ? await readAnswerSet(set.folder, options.offTopicFile, limits) : undefined;
      if (asked) {
        log(`${set.name}: answers`);
        keep(answers, await evaluateAnswers(service, set.name, asked, ingested.documentIdOf));
      }
    }
    if (set.kind === 'chunking' && wanted('chunking')) {
      log(`${set.name}: chunking`);
      keep(chunking, await evaluateChunking(service, set, options));
    }
    if (set.kind === 'ocr' && wanted('ocr')) {
      log(`${set.name}: OCR`);
      keep(ocr, await evaluateOcr(service, set));
    }
  }
  if (scores.length === 0) throw new Error(`no set has what ${parts.join(', ')} need`);
  return { retrieval, answers, chunking, ocr, scores };
}
