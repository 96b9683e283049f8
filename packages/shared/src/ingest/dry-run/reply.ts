import { z } from 'zod';
import { JobError, MemoryError, toJobError } from '../../contracts/errors.ts';
import { DryRun } from '../../contracts/model/dry-run.ts';

/** What a worker says to the API of a dry run. */
const Reply = z.union([
  z.strictObject({ dryRun: DryRun }),
  z.strictObject({ error: JobError.extend({ details: z.unknown().optional() }) }),
]);

export const succeeded = (dryRun: DryRun): string => JSON.stringify({ dryRun } satisfies z.infer<typeof Reply>);

export const failed = (error: MemoryError): string =>
  JSON.stringify({ error: { ...toJobError(error), details: error.details } });

/** @throws MemoryError what went wrong in the worker */
export function readReply(reply: string): DryRun {
  const read = Reply.parse(JSON.parse(reply));
  if ('dryRun' in read) return read.dryRun;
  const { code, message, hint, details } = read.error;
  throw new MemoryError(code, message, { ...(hint ? { hint } : {}), details });
}
