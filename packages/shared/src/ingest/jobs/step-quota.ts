import { MemoryError } from '../../contracts/errors.ts';
import type { Quotas, QuotaUse } from '../../ports/quotas.ts';

/** A quota of a day is back after hours, but an operator may raise it meanwhile. */
const lookAgainMs = 60_000;

/**
 * As `take` of a quota, for a step of a job: what is accepted is not refused later, it waits and looks again each minute.
 * @throws MemoryError `rate_limited` with `retry` `wait`; `dependency_unavailable`
 */
export async function takeForStep(
  { quotas }: { readonly quotas?: Quotas | undefined },
  tenant: string,
  use: QuotaUse,
): Promise<void> {
  try {
    await quotas?.take(tenant, use, { mayOwe: true });
  } catch (error) {
    if (!(error instanceof MemoryError) || error.retry.kind !== 'wait' || error.code !== 'rate_limited') throw error;
    const { code, message, hint, details, retry } = error;
    throw new MemoryError(code, message, {
      ...(hint ? { hint } : {}),
      details,
      retry: { kind: 'wait', afterMs: Math.min(retry.afterMs, lookAgainMs) },
      cause: error,
    });
  }
}
