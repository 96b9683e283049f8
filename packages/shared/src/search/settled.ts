import { MemoryError } from '../contracts/errors.ts';

/** What became of a side of the search; one that is away is no reason to stop the other. */
export type Settled<Value> =
  | { readonly value: Value; readonly away?: undefined }
  | { readonly value?: undefined; readonly away: MemoryError };

/** @throws everything but `dependency_unavailable` */
export async function settled<Value>(side: Promise<Value>): Promise<Settled<Value>> {
  try {
    return { value: await side };
  } catch (error) {
    if (error instanceof MemoryError && error.code === 'dependency_unavailable') return { away: error };
    throw error;
  }
}
