import { MemoryError } from '../contracts/errors.ts';
import type { Embedder } from '../ports/embedder.ts';

/**
 * Vectors of a model that nobody can embed a query with would never be found.
 * @param embedderFor gives nothing, or throws, where the model is not served
 * @param what is said of it
 * @throws MemoryError `unprocessable`
 */
export function assertServed(
  embedderFor: (model: string) => Embedder | undefined,
  model: string,
  { what, hint }: { readonly what: string; readonly hint: string },
): void {
  if (!isServed(embedderFor, model)) throw new MemoryError('unprocessable', what, { hint });
}

function isServed(embedderFor: (model: string) => Embedder | undefined, model: string): boolean {
  try {
    return embedderFor(model) !== undefined;
  } catch {
    return false;
  }
}
