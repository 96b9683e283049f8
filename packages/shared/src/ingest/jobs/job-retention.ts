import type { IngestDeps } from '../deps.ts';

/**
 * Whether what has been kept since then only so that it can be asked for is to be forgotten: nothing restores it either.
 * @param atMs milliseconds since 1970
 */
export const isOver = (
  { clock, jobRetentionMs }: Pick<IngestDeps, 'clock' | 'jobRetentionMs'>,
  atMs: number,
): boolean => atMs + jobRetentionMs <= clock.now();
