import { ulid } from 'ulid';
import { MemoryError, requestFaultCodes, toMemoryError } from '../contracts/errors.ts';
import type {
  Answer,
  AnswerEvent,
  AnswerSources,
  ChatTurn,
  Citation,
  RagRequest,
  TokenUsage,
} from '../contracts/model/answer.ts';
import type { SearchHit } from '../contracts/model/search.ts';
import type { Tokenizer } from '../ports/embedder.ts';
import type { ChatUsage, LanguageModel } from '../ports/language-model.ts';
import type { Quotas } from '../ports/quotas.ts';
import { phrasesOf, unquoted } from '../search/lexical/phrases.ts';
import { type Retrieval, retrieve, type SearchDeps } from '../search/retrieve.ts';
import { readCitations } from './citations.ts';
import { evidenceOf, type MeasuredThresholds, refusalText } from './evidence.ts';
import { extractAnswer } from './extractive.ts';
import { generateAnswer, type ModelDeps, rewriteQuestion } from './generative.ts';
import { meterModel } from './metered-model.ts';
import { fittingPassages } from './prompt.ts';

export interface RagDeps extends SearchDeps {
  /** Without one, answers are extractive: sentences of the documents, quoted. */
  readonly languageModel?: LanguageModel | undefined;
  /** What that is given of passages and conversation, in tokens. */
  readonly languageModelInputTokens?: number | undefined;
  readonly tokenizer?: Tokenizer | undefined;
  /** From which cosine on there is evidence, where that was measured for other models than the default. */
  readonly evidenceThresholds?: MeasuredThresholds | undefined;
  /** What the model reads and writes counts as tokens. Absent where no tenant is limited. */
  readonly quotas?: Quotas | undefined;
}

const defaultInputTokens = 8000;

const modelAway = 'language_model_unavailable';

export const newAnswerId = (): string => `answer_${ulid()}`;

/** One answer under way. */
interface Run {
  readonly deps: RagDeps;
  readonly request: RagRequest;
  readonly signal: AbortSignal | undefined;
  readonly startedAt: number;
  readonly degraded: Set<string>;
  /** Undefined where there is none, or it was found to be away. */
  model: ModelDeps | undefined;
  usage: ChatUsage;
  firstTokenSeen: boolean;
}

/**
 * Answers a question from a tenant's memory, as events: the sources first, then pieces of the answer as they come, the
 * citations, and the whole answer. With a language model it writes; without one, or where it is away before anything
 * was shown, the answer is extractive. Every citation is of a hit in `sources`, and its quote is the document's text at
 * its span.
 * @throws MemoryError as `search`; `dependency_unavailable` where the model goes away in the middle of an answer.
 */
export async function* streamAnswer(
  deps: RagDeps,
  tenant: string,
  request: RagRequest,
  signal?: AbortSignal,
): AsyncGenerator<AnswerEvent, void, void> {
  yield* measured(deps, tenant, request, { startsAgain: false }, signal);
}

/**
 * As `streamAnswer`, the whole at once; a model that goes away in the middle costs only the degraded mode.
 * @param onSources told what was retrieved
 */
export async function answer(
  deps: RagDeps,
  tenant: string,
  request: RagRequest,
  signal?: AbortSignal,
  onSources?: (sources: AnswerSources) => void,
): Promise<Answer> {
  let whole: Answer | undefined;
  for await (const event of measured(deps, tenant, request, { startsAgain: true }, signal)) {
    if (event.event === 'sources') onSources?.(event.data);
    if (event.event === 'done') whole = event.data;
  }
  // What does not throw ends with it.
  return whole as Answer;
}

async function* measured(
  deps: RagDeps,
  tenant: string,
  request: RagRequest,
  options: { startsAgain: boolean },
  signal: AbortSignal | undefined,
): AsyncGenerator<AnswerEvent, void, void> {
  const run: Run = {
    ...{ deps, request, signal, startedAt: deps.clock.now(), degraded: new Set<string>() },
    model: deps.languageModel && {
      languageModel: meteredFor(deps, deps.languageModel, tenant),
      budget: { inputTokens: deps.languageModelInputTokens ?? defaultInputTokens, tokenizer: deps.tokenizer },
    },
    usage: { promptTokens: 0, completionTokens: 0 },
    firstTokenSeen: false,
  };
  const seconds = () => (deps.clock.now() - run.startedAt) / 1000;
  const mode = () => (run.model ? 'generative' : 'extractive');
  try {
    for await (const event of answerEvents(run, tenant, options)) {
      if (event.event === 'token' && !run.firstTokenSeen) {
        run.firstTokenSeen = true;
        deps.metrics.ragFirstToken(seconds());
      }
      if (event.event === 'done') deps.metrics.rag(event.data.refused ? 'refused' : 'answered', mode(), seconds());
      yield event;
    }
  } catch (error) {
    deps.metrics.rag(outcomeOf(error), mode(), seconds());
    throw error;
  }
}

/** What the tenant's answer costs is counted, and no reason to take the answer back. */
function meteredFor({ quotas, logger }: RagDeps, languageModel: LanguageModel, tenant: string): LanguageModel {
  if (!quotas) return languageModel;
  return meterModel(languageModel, (tokens) =>
    quotas
      .count(tenant, { tokens })
      .catch((error: unknown) => logger.warn('the tokens of an answer could not be counted', { error })),
  );
}

/** Whose fault it was that there is no answer: the caller's, who may also have gone, or ours. */
function outcomeOf(error: unknown): 'cancelled' | 'rejected' | 'failed' {
  const { code } = toMemoryError(error);
  if (code === 'cancelled') return 'cancelled';
  return (requestFaultCodes as readonly string[]).includes(code) ? 'rejected' : 'failed';
}

async function* answerEvents(run: Run, tenant: string, options: { startsAgain: boolean }): AsyncGenerator<AnswerEvent> {
  const { deps, request, signal } = run;
  if (request.model !== undefined && !run.model) degrade(run, modelAway);
  const question = await searchQuestion(run, request.history ?? []);
  const { namespace, filter, topK } = request;
  const found = await retrieve(
    deps,
    tenant,
    { query: question, namespace, topK, mode: 'hybrid', highlight: true, ...(filter ? { filter } : {}) },
    signal,
  );
  for (const reason of found.response.degraded ?? []) run.degraded.add(reason);
  const { hits } = found.response;
  const { withNeighbours } = found;
  const passages = run.model && withNeighbours ? await passagesFor(run, run.model, hits, withNeighbours) : [];
  const sources = [...passages, ...hits.filter((hit) => !passages.some((passage) => holds(passage, hit)))];
  yield { event: 'sources', data: { answerId: newAnswerId(), hits: sources } };
  if (run.model && passages.length > 0) {
    let shown = false;
    try {
      for await (const event of generated(run, run.model, passages)) {
        shown ||= event.event === 'token';
        yield event;
      }
      return;
    } catch (error) {
      if (!isModelAway(run, error) || (shown && !options.startsAgain)) throw error;
      loseModel(run);
    }
  }
  yield* extracted(run, question, found, sources);
}

/** So many chunks on each side of a hit go to the model with it, where there is room. */
const neighboursForModel = 1;

async function passagesFor(
  run: Run,
  { budget }: ModelDeps,
  hits: readonly SearchHit[],
  withNeighbours: NonNullable<Retrieval['withNeighbours']>,
) {
  const wider = await withNeighbours(neighboursForModel);
  if (!wider.complete) degrade(run, 'neighbours_incomplete');
  return fittingPassages(hits, wider.hits, budget);
}

const holds = (passage: SearchHit, { chunkId }: { readonly chunkId: string }) =>
  passage.chunkId === chunkId || passage.chunks?.some((chunk) => chunk.chunkId === chunkId);

function degrade(run: Run, reason: string): void {
  run.degraded.add(reason);
  run.deps.metrics.degraded(reason);
}

function loseModel(run: Run): void {
  run.model = undefined;
  degrade(run, modelAway);
}

const isModelAway = (run: Run, error: unknown) =>
  error instanceof MemoryError && error.code === 'dependency_unavailable' && !run.signal?.aborted;

/**
 * What to search for: in a conversation the last question alone ("and in winter?") finds nothing. Only what that one puts
 * in quotes must be there.
 */
async function searchQuestion(run: Run, history: readonly ChatTurn[]): Promise<string> {
  const { question, model } = run.request;
  if (history.length === 0) return question;
  if (run.model) {
    try {
      const rewritten = await rewriteQuestion(run.model, question, history, { model, signal: run.signal });
      run.usage = rewritten.usage;
      // A model puts names, or all of it, in quotes as it likes.
      return phrasesOf(question) ? rewritten.question : unquoted(rewritten.question).trim();
    } catch (error) {
      if (!isModelAway(run, error)) throw error;
      loseModel(run);
    }
  }
  const lastAsked = history.findLast((turn) => turn.role === 'user')?.content ?? '';
  return `${unquoted(lastAsked.slice(0, 2048))}\n${question}`.trim().slice(-8192);
}

function* finish(
  run: Run,
  result: { text: string; citations: Citation[]; grounded: boolean; refused: boolean; usage: TokenUsage },
): Generator<AnswerEvent> {
  for (const citation of result.citations) yield { event: 'citation', data: citation };
  const { text, citations, grounded, refused, usage } = result;
  const degraded = run.degraded.size > 0 ? { degraded: [...run.degraded] } : {};
  yield { event: 'done', data: { answer: text, citations, grounded, refused, usage, ...degraded } };
}

async function* generated(run: Run, model: ModelDeps, passages: readonly SearchHit[]): AsyncGenerator<AnswerEvent> {
  const { request, signal } = run;
  const stream = generateAnswer(
    model,
    { question: request.question, history: request.history ?? [], passages },
    { model: request.model, signal },
  );
  let text = '';
  for (;;) {
    const step = await stream.next();
    if (!step.done) {
      text += step.value;
      yield { event: 'token', data: { text: step.value } };
      continue;
    }
    const { refused } = step.value;
    const { citations, grounded } = refused ? { citations: [], grounded: false } : readCitations(text, passages);
    const usage = {
      model: request.model ?? model.languageModel.model,
      promptTokens: run.usage.promptTokens + step.value.usage.promptTokens,
      completionTokens: run.usage.completionTokens + step.value.usage.completionTokens,
    };
    yield* finish(run, { text, citations, grounded, refused, usage });
    return;
  }
}

const weakEvidence = 'The evidence is weak. The nearest passages say:';

/** To the model what has none is near to whatever it does not know either. */
const hasWords = /[\p{L}\p{N}]/u;

/** @param sources what was shown as such: each hit, or a passage that it is in */
async function* extracted(
  run: Run,
  question: string,
  found: Retrieval,
  sources: readonly SearchHit[],
): AsyncGenerator<AnswerEvent> {
  const usage = { model: 'extractive', ...run.usage };
  const { hits } = found.response;
  const extract = await extractAnswer(found, question, hits, run.signal);
  const evidence = evidenceOf(hits, found.query?.embedder.model, extract.support, run.deps.evidenceThresholds);
  if (evidence === 'none' || extract.sentences.length === 0 || !hasWords.test(question)) {
    const text = refusalText(question, hits);
    yield { event: 'token', data: { text } };
    yield* finish(run, { text, citations: [], grounded: false, refused: true, usage });
    return;
  }
  const { sentences } = extract;
  const parts = evidence === 'weak' ? [weakEvidence, ...sentences] : sentences;
  for (const [index, part] of parts.entries()) {
    yield { event: 'token', data: { text: index === 0 ? part : ` ${part}` } };
  }
  const citations = extract.citations.map((citation) => {
    const source = sources.find((passage) => holds(passage, citation)) as SearchHit;
    return { ...citation, chunkId: source.chunkId };
  });
  yield* finish(run, { text: parts.join(' '), citations, grounded: true, refused: false, usage });
}
