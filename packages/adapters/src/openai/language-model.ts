import type { ChatMessage, ChatUsage, LanguageModel } from '@semantic-memory/shared/ports/language-model';
import type { BreakerState } from '../breaker/breaker.ts';
import { type OpenaiEndpoint, openaiClient } from './client.ts';
import { ModelAway, modelBreaker, openaiFailure } from './failure.ts';

const defaultStallMs = 30_000;

export interface OpenaiLanguageModelOptions extends OpenaiEndpoint {
  readonly model: string;
  /** The longest that the first word, or the next one, may take. */
  readonly stallMs?: number | undefined;
  readonly onBreakerState?: ((state: BreakerState) => void) | undefined;
}

/**
 * Chat completions from any endpoint that speaks OpenAI's protocol. A stream that ends before the model said that it
 * had finished is an error (`dependency_unavailable`), never a short answer. Usage is 0 where the endpoint tells none.
 */
export function createOpenaiLanguageModel(options: OpenaiLanguageModelOptions): LanguageModel {
  const stallMs = options.stallMs ?? defaultStallMs;
  const client = openaiClient(options, stallMs);
  const breaker = modelBreaker(options.onBreakerState);
  return {
    model: options.model,
    stream: (messages, { model = options.model, signal }) => guarded(read(messages, model, signal)),
  };

  /** The first word decides whether the model is there; what goes wrong later is counted too. */
  async function* guarded(words: AsyncGenerator<string, ChatUsage, void>): AsyncGenerator<string, ChatUsage, void> {
    try {
      let next = await breaker.run(() => words.next());
      while (!next.done) {
        yield next.value;
        next = await words.next().catch(async (error: unknown) => {
          await breaker.run(() => Promise.reject(error)).catch(() => {});
          throw error;
        });
      }
      return next.value;
    } finally {
      await words.return({ promptTokens: 0, completionTokens: 0 });
    }
  }

  async function* read(
    messages: readonly ChatMessage[],
    model: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<string, ChatUsage, void> {
    signal?.throwIfAborted();
    const stalled = new AbortController();
    const either = signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal;
    let timer: NodeJS.Timeout | undefined;
    const expectMore = () => {
      clearTimeout(timer);
      timer = setTimeout(() => stalled.abort(), stallMs);
    };
    let usage: ChatUsage = { promptTokens: 0, completionTokens: 0 };
    let finished = false;
    try {
      expectMore();
      const chunks = await client.chat.completions.create(
        { model, messages: [...messages], stream: true, stream_options: { include_usage: true } },
        { signal: either },
      );
      for await (const chunk of chunks) {
        // The reader's own time between two words is not the model's.
        clearTimeout(timer);
        const choice = chunk.choices?.[0];
        if (choice?.delta?.content) yield choice.delta.content;
        if (choice?.finish_reason) finished = true;
        if (chunk.usage)
          usage = { promptTokens: chunk.usage.prompt_tokens, completionTokens: chunk.usage.completion_tokens };
        expectMore();
      }
    } catch (error) {
      if (stalled.signal.aborted && !signal?.aborted) {
        throw new ModelAway('The model did not answer in time.', { cause: error, verdict: 'gone' });
      }
      throw openaiFailure(error, { rejected: 'unprocessable', signal });
    } finally {
      clearTimeout(timer);
    }
    // An aborted stream ends as if it were complete.
    signal?.throwIfAborted();
    if (stalled.signal.aborted) throw new ModelAway('The model stopped in mid-answer.', { verdict: 'gone' });
    if (!finished) throw new ModelAway("The model's answer was cut off.", {});
    return usage;
  }
}
