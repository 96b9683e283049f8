import type { ChatMessage, ChatUsage, LanguageModel } from '../ports/language-model.ts';

/** Bytes of UTF-8, for a reply that was broken off before its model said what it cost. */
const bytesPerToken = 4;

/**
 * A language model that says of each reply what it has cost, also of one that was broken off: by the model's own count,
 * else by an estimate. A model that is away costs nothing.
 * @param onTokens told once a reply has ended, however it did
 */
export function meterModel(languageModel: LanguageModel, onTokens: (tokens: number) => Promise<void>): LanguageModel {
  return {
    model: languageModel.model,
    async *stream(messages, options) {
      const reply = languageModel.stream(messages, options);
      let bytes = 0;
      let usage: ChatUsage | undefined;
      try {
        for (;;) {
          const step = await reply.next();
          if (step.done) {
            usage = step.value;
            return usage;
          }
          if (bytes === 0) bytes = bytesOf(messages);
          bytes += Buffer.byteLength(step.value);
          yield step.value;
        }
      } finally {
        await reply.return?.({ promptTokens: 0, completionTokens: 0 });
        const tokens = usage ? usage.promptTokens + usage.completionTokens : Math.ceil(bytes / bytesPerToken);
        if (tokens > 0) await onTokens(tokens);
      }
    },
  };
}

const bytesOf = (messages: readonly ChatMessage[]) =>
  messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
