import type { LanguageModel } from '@semantic-memory/shared/ports/language-model';
import { openSpan } from './tracing.ts';

/** A span for each text that the model writes, from the question to its last word. Neither is in it. */
export function traceLanguageModel(languageModel: LanguageModel): LanguageModel {
  return {
    model: languageModel.model,
    async *stream(messages, options) {
      const model = options.model ?? languageModel.model;
      const span = openSpan(`chat ${languageModel.model}`, {
        kind: 'client',
        attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': model },
      });
      try {
        const usage = yield* languageModel.stream(messages, options);
        span.add({
          'gen_ai.usage.input_tokens': usage.promptTokens,
          'gen_ai.usage.output_tokens': usage.completionTokens,
        });
        return usage;
      } catch (error) {
        span.fail(error);
        throw error;
      } finally {
        span.end();
      }
    },
  };
}
