import { MemoryError } from '../contracts/errors.ts';

/**
 * Reads from the blob store for a search: a version whose artifacts cannot be read is as good as not there, and no reason
 * to fail all others. The reconciler says which it is.
 * @throws everything but `internal`
 */
export async function undamaged<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof MemoryError && error.code === 'internal') return undefined;
    throw error;
  }
}
