export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface ChatUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** A model that writes. Throws `dependency_unavailable` where it is away. */
export interface LanguageModel {
  readonly model: string;
  /** Yields the text as it comes; returns the usage. */
  stream(
    messages: readonly ChatMessage[],
    options: { readonly model?: string | undefined; readonly signal?: AbortSignal | undefined },
  ): AsyncGenerator<string, ChatUsage, void>;
}
