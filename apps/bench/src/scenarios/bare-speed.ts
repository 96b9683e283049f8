import { availableParallelism } from 'node:os';
import { measureBareModel } from '@semantic-memory/adapters/onnx/bare-model';

/** Texts a second of the embedding model alone: one single-threaded process a core, nothing around it. */
export async function bareModelSpeed(texts: readonly string[]): Promise<number> {
  return measureBareModel(texts, availableParallelism());
}
