import { MemoryError } from '../../contracts/errors.ts';

/** What is wrong with one record, and no reason to leave the others. */
export const isDamage = (error: unknown): boolean =>
  error instanceof MemoryError && (error.code === 'internal' || error.code === 'conflict');
