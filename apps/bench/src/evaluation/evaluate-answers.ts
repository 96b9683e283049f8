import { inParallel } from '@semantic-memory/client/in-parallel';
import type { Service } from '@semantic-memory/e2e/service';
import type { Answer, Citation } from '@semantic-memory/shared/contracts/model/answer';
import { quantile, rounded } from '../statistics.ts';
import { carries, containsAnswer, statementsOf } from './answer-metrics.ts';
import { type AnswerableQuestion, type AnswerSet, type Half, halves, type Question } from './answer-set.ts';
import { areaUnderCurve, type RefusalScores, refusalScores, thresholdFor } from './refusal-metrics.ts';
import { collectScores, mean, type Scores } from './scores.ts';

const askedAtOnce = 2;
/** So many of the questions that have an answer may be refused. */
const wrongShare = 0.05;

export interface AnswersReport {
  readonly set: string;
  readonly questions: Readonly<Record<string, number>>;
  /** `extractive`, or the language model's name. */
  readonly model: string;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly citations: number;
  /** What the service refused, by half, against each kind of question that it should refuse. */
  readonly refusal: Readonly<Record<string, Readonly<Record<Half, RefusalScores>>>>;
  /** What a threshold on one signal would give. */
  readonly signals: readonly SignalReport[];
}

interface SignalReport {
  readonly signal: string;
  readonly against: string;
  readonly areaUnderCurve: number;
  /** Chosen on the half for calibration, so that 5 % of what has an answer lies below it. */
  readonly threshold: number;
  /** On the other half. */
  readonly scores: RefusalScores;
}

/** A question with what the service answered and what its search found. */
interface Asked<Kind extends Question> {
  readonly question: Kind;
  readonly answer: Answer;
  readonly ms: number;
  /** By name; higher where there is more evidence. */
  readonly signals: Readonly<Record<string, number>>;
}

/**
 * Asks every question by `POST /rag` in a namespace that is ingested: is the answer in the first sentences, do the citations
 * carry what they stand for, and is refused what has no answer.
 * @param documentIdOf the service's id of a document of the corpus
 */
export async function evaluateAnswers(
  service: Service,
  namespace: string,
  set: AnswerSet,
  documentIdOf: (corpusId: string) => string,
): Promise<{ report: AnswersReport; scores: Scores[] }> {
  const answerable = await askAll(service, namespace, set.answerable);
  const adversarial = await askAll(service, namespace, set.adversarial);
  const offTopic = await askAll(service, namespace, set.offTopic);
  const texts = await citedTexts(service, answerable);
  const cited = answerable.filter(({ answer }) => answer.citations.length > 0);
  const of = { part: 'answers', set: namespace };
  const scores = [
    ...halves.map((half) => {
      const asked = answerable.filter(({ question }) => question.half === half);
      return collectScores({ ...of, mode: `answerable, ${half}` }, asked.map(containmentOf));
    }),
    collectScores(
      { ...of, mode: 'citations' },
      cited.map((asked) => citationScores(asked, texts, documentIdOf(asked.question.corpusId))),
    ),
  ];
  const groups = { 'off-topic': offTopic, unanswerable: adversarial };
  const present = Object.entries(groups).filter(([, asked]) => asked.length > 0);
  for (const [name, asked] of present) scores.push(collectScores({ ...of, mode: name }, asked.map(refusedOf)));
  const times = [...answerable, ...adversarial, ...offTopic].map(({ ms }) => ms);
  const report = {
    set: namespace,
    questions: { answerable: answerable.length, unanswerable: adversarial.length, 'off-topic': offTopic.length },
    model: answerable[0]?.answer.usage.model ?? 'none',
    p50Ms: rounded(quantile(times, 0.5), 1),
    p95Ms: rounded(quantile(times, 0.95), 1),
    citations: cited.reduce((sum, { answer }) => sum + answer.citations.length, 0),
    refusal: Object.fromEntries(present.map(([name, asked]) => [name, refusalByHalf(answerable, asked)])),
    signals: present.flatMap(([name, asked]) => signalReports(name, answerable, asked)),
  };
  return { report, scores };
}

function askAll<Kind extends Question>(service: Service, namespace: string, questions: readonly Kind[]) {
  return inParallel(questions, askedAtOnce, async (question): Promise<Asked<Kind>> => {
    const startedAt = performance.now();
    const answer = await service.client.rag({ question: question.text, namespace });
    const ms = performance.now() - startedAt;
    const request = { query: question.text, namespace, topK: 5, highlight: false, explain: true };
    const { hits } = await service.client.search(request);
    const similarity = Math.max(0, ...hits.map((hit) => hit.similarity));
    const rerank = Math.max(0, ...hits.map((hit) => hit.explain?.rerank ?? 0));
    return { question, answer, ms, signals: { similarity, rerank, score: hits[0]?.score ?? 0 } };
  });
}

function containmentOf({ question, answer }: Asked<AnswerableQuestion>) {
  // A refusal says what was missing: whatever words it has, it is no answer.
  const statements = answer.refused ? [] : statementsOf(answer.answer).map(({ text }) => text);
  const within = (count: number) => Number(containsAnswer(statements.slice(0, count).join('\n'), question.answers));
  return {
    id: question.id,
    metrics: { 'answer in 1': within(1), 'in 2': within(2), 'in 3': within(3), refused: Number(answer.refused) },
  };
}

const refusedOf = ({ question, answer }: Asked<Question>) => ({
  id: question.id,
  metrics: { refused: Number(answer.refused) },
});

function citationScores(
  { question, answer }: Asked<AnswerableQuestion>,
  texts: ReadonlyMap<string, string>,
  judged: string,
) {
  const statements = statementsOf(answer.answer);
  const share = (holds: (citation: Citation) => boolean) =>
    mean(answer.citations.map((citation) => Number(holds(citation))));
  const isExact = ({ documentId, span, quote }: Citation) =>
    quote !== '' && texts.get(documentId)?.slice(span.start, span.end) === quote;
  const isCarrying = ({ marker, quote }: Citation) =>
    statements.some(({ markers, text }) => markers.includes(marker) && carries(quote, text));
  const isRelevant = ({ documentId, quote }: Citation) =>
    documentId === judged || containsAnswer(quote, question.answers);
  return {
    id: question.id,
    metrics: {
      exact: share(isExact),
      precise: share((citation) => isExact(citation) && isCarrying(citation)),
      relevant: share((citation) => isExact(citation) && isRelevant(citation)),
      'first relevant': Number(answer.citations.slice(0, 1).some(isRelevant)),
    },
  };
}

/** The text of every document that is cited, asked for once. */
async function citedTexts(service: Service, asked: readonly { readonly answer: Answer }[]) {
  const ids = [...new Set(asked.flatMap(({ answer }) => answer.citations.map(({ documentId }) => documentId)))];
  const texts = await inParallel(ids, askedAtOnce, (id) => service.client.text(id));
  return new Map(ids.map((id, index) => [id, texts[index] as string]));
}

const ofHalf = <Kind extends Question>(asked: readonly Asked<Kind>[], half: Half) =>
  asked.filter(({ question }) => question.half === half);

function refusalByHalf(answerable: readonly Asked<Question>[], others: readonly Asked<Question>[]) {
  const refused = (asked: readonly Asked<Question>[]) => asked.map(({ answer }) => answer.refused);
  const of = (half: Half) => refusalScores(refused(ofHalf(answerable, half)), refused(ofHalf(others, half)));
  return { calibration: of('calibration'), report: of('report') };
}

function signalReports(
  against: string,
  answerable: readonly Asked<Question>[],
  others: readonly Asked<Question>[],
): SignalReport[] {
  return Object.keys(answerable[0]?.signals ?? {}).map((signal) => {
    const valuesOf = (asked: readonly Asked<Question>[]) => asked.map(({ signals }) => signals[signal] as number);
    const threshold = thresholdFor(valuesOf(ofHalf(answerable, 'calibration')), wrongShare);
    const below = (asked: readonly Asked<Question>[]) => valuesOf(asked).map((value) => value < threshold);
    return {
      ...{ signal, against, threshold },
      areaUnderCurve: areaUnderCurve(valuesOf(answerable), valuesOf(others)),
      scores: refusalScores(below(ofHalf(answerable, 'report')), below(ofHalf(others, 'report'))),
    };
  });
}
