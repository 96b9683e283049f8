import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { Embedder } from '@semantic-memory/shared/ports/embedder';
import type { BreakerState } from '../breaker/breaker.ts';
import { createLocalEmbedder } from '../onnx/embedder.ts';
import { readModelCard } from '../onnx/model-card.ts';
import type { ModelDimensions } from '../openai/embedder.ts';
import { deferredEmbedder } from './deferred-embedder.ts';

/** Names the model that is shipped with the project. */
export const localModel = readModelCard().name;

/** The embedders of a process, by model: a namespace keeps the model that it began with, whatever is configured now. */
export interface Embedders {
  /** Starts nothing yet. @throws MemoryError `dependency_unavailable` for a model that this process was not given */
  embedderFor(model: string): Embedder;
  close(): Promise<void>;
}

export interface EmbedderSettings {
  /** Child processes of the local model. */
  readonly processes: number;
  /** Whether the local model also gives vectors of tokens. */
  readonly lateInteraction?: boolean | undefined;
  /** Whether the local model's processes give way to others. */
  readonly background?: boolean | undefined;
  /** Set where an OpenAI-compatible endpoint is configured. */
  readonly openai?:
    | {
        readonly apiKey: string;
        readonly baseUrl?: string | undefined;
        readonly timeoutMs?: number | undefined;
        readonly dimensions?: ModelDimensions | undefined;
        readonly onBreakerState?: ((state: BreakerState) => void) | undefined;
      }
    | undefined;
}

export function createEmbedders(settings: EmbedderSettings): Embedders {
  const made = new Map<string, Embedder>();
  const make = (model: string): Embedder => {
    if (model === localModel) return createLocalEmbedder(settings);
    const { openai } = settings;
    if (openai) {
      return deferredEmbedder(model, async () => {
        const { createOpenaiEmbedder } = await import('../openai/embedder.ts');
        return createOpenaiEmbedder({ ...openai, model });
      });
    }
    throw new MemoryError('dependency_unavailable', `The embedding model ${model} is not configured here.`, {
      hint: 'Set OPENAI_API_KEY or OPENAI_BASE_URL for the endpoint that serves it.',
      retry: { kind: 'wait', afterMs: 20_000 },
    });
  };
  return {
    embedderFor: (model) => {
      const known = made.get(model);
      if (known) return known;
      const embedder = make(model);
      made.set(model, embedder);
      return embedder;
    },
    close: async () => {
      await Promise.all([...made.values()].map((embedder) => embedder.close()));
    },
  };
}
