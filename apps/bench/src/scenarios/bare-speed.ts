import { availableParallelism } from 'node:os';
import { measureBareModel } from '@semantic-memory/adapters/onnx/bare-model';

/** Texts a second of the embedding model alone: one single-threaded process a core, nothing around it. */
export async function bareModelSpeed(texts: readonly string[]): Promise<number> {
  return measureBareModel(texts, availableParallelism());
}

/**
 * What `work` gives, and the speed of the model alone around it, the mean of before and after: a machine that others use
 * too changes its speed from one minute to the next.
 */
export async function besideBareModel<Result>(
  texts: readonly string[],
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly bare: number }> {
  const before = await bareModelSpeed(texts);
  const result = await work();
  return { result, bare: (before + (await bareModelSpeed(texts))) / 2 };
}
