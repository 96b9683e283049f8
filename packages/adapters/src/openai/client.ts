import OpenAI from 'openai';

export interface OpenaiEndpoint {
  readonly apiKey: string;
  /** With the path, like `http://127.0.0.1:11434/v1`; without, the provider's own. */
  readonly baseUrl?: string | undefined;
}

/**
 * A client that takes nothing from the environment and writes no log, since both would be another way in or out than
 * the configuration's. It never retries: the queue does.
 */
export function openaiClient({ apiKey, baseUrl }: OpenaiEndpoint, timeoutMs: number): OpenAI {
  return new OpenAI({
    apiKey,
    baseURL: baseUrl ?? null,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: timeoutMs,
    logLevel: 'off',
  });
}
