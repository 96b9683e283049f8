import { MemoryError } from '../contracts/errors.ts';
import type { ChatTurn } from '../contracts/model/answer.ts';
import type { SearchHit } from '../contracts/model/search.ts';
import type { ChatUsage, LanguageModel } from '../ports/language-model.ts';
import { createAnswerFilter } from './answer-filter.ts';
import { answerPrompt, type Budget, fittingHistory, noAnswer, rewritePrompt } from './prompt.ts';

export interface ModelDeps {
  readonly languageModel: LanguageModel;
  readonly budget: Budget;
}

interface CallOptions {
  readonly model?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A question that stands alone, by the model. An empty reply leaves the question as it is. */
export async function rewriteQuestion(
  deps: ModelDeps,
  question: string,
  history: readonly ChatTurn[],
  options: CallOptions,
): Promise<{ question: string; usage: ChatUsage }> {
  const stream = deps.languageModel.stream(rewritePrompt(question, fittingHistory(history, deps.budget)), options);
  let text = '';
  for (;;) {
    const step = await stream.next();
    if (step.done) return { question: text.trim().slice(0, 8192) || question, usage: step.value };
    text += step.value;
  }
}

/** Whether a text that has only begun is, may be, or is not the refusal of the protocol. */
function refusalSoFar(text: string): 'yes' | 'maybe' | 'no' {
  const begun = text.trimStart().replace(/^[*_`"'\s]+/, '');
  if (begun.startsWith(noAnswer)) return 'yes';
  return noAnswer.startsWith(begun) ? 'maybe' : 'no';
}

/**
 * Lets the model answer from passages. Yields what may be shown, as it comes; the pieces joined are the answer.
 * @returns the usage, and whether the model refused.
 * @throws MemoryError `dependency_unavailable` where the model is away or says nothing.
 */
export async function* generateAnswer(
  deps: ModelDeps,
  input: { question: string; history: readonly ChatTurn[]; passages: readonly SearchHit[] },
  options: CallOptions,
): AsyncGenerator<string, { usage: ChatUsage; refused: boolean }, void> {
  const { question, passages } = input;
  const history = fittingHistory(input.history, deps.budget);
  const isSourceAddress = (address: string) => passages.some((hit) => hit.text.includes(address));
  const filter = createAnswerFilter({ sourceCount: passages.length, isSourceAddress });
  const stream = deps.languageModel.stream(answerPrompt(question, history, passages), options);
  let opening = '';
  let refusal: 'yes' | 'maybe' | 'no' = 'maybe';
  let shown = false;
  for (;;) {
    const step = await stream.next();
    if (step.done) {
      const rest = refusal === 'no' ? filter.end() : closing(opening, refusal, passages);
      if (rest !== '') yield rest;
      else if (!shown) throw new MemoryError('dependency_unavailable', 'The language model gave an empty answer.');
      return { usage: step.value, refused: refusal === 'yes' };
    }
    let piece = step.value;
    if (refusal !== 'no') {
      opening += piece;
      refusal = refusal === 'yes' ? 'yes' : refusalSoFar(opening);
      if (refusal !== 'no') continue;
      piece = opening;
    }
    const ready = filter.push(piece);
    if (ready === '') continue;
    shown = true;
    yield ready;
  }
}

/** What to show of a reply that is a refusal, or ended before it was clear that it is none. */
function closing(opening: string, refusal: 'yes' | 'maybe', passages: readonly SearchHit[]): string {
  const filter = createAnswerFilter({
    sourceCount: refusal === 'yes' ? 0 : passages.length,
    isSourceAddress: () => false,
  });
  const text = refusal === 'yes' ? opening.slice(opening.indexOf(noAnswer) + noAnswer.length) : opening;
  const clean = (filter.push(text.replace(/^[\s:.*_`"'–—-]+/, '')) + filter.end()).trim();
  if (refusal === 'yes' && clean === '') return 'No answer was found: the passages do not carry one.';
  return clean;
}
