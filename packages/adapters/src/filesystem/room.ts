import type { StatsFs } from 'node:fs';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';

/** @throws MemoryError `dependency_unavailable` where a file system has no block left for us */
export function assertRoom({ bavail }: Pick<StatsFs, 'bavail'>): void {
  if (bavail === 0) throw new MemoryError('dependency_unavailable', 'The blob store is full.');
}
