import { MemoryError } from '../contracts/errors.ts';
import type { QuotaKind } from '../contracts/quotas.ts';
import type { Quotas } from '../ports/quotas.ts';

/** Quotas of one tenant that fill up only when a test says so. */
export interface InMemoryQuotas extends Quotas {
  /** What is left; negative where it is owed. Kinds that are absent are not limited. */
  readonly left: Partial<Record<QuotaKind, number>>;
}

/** @param left what there is at first, and when it is full */
export function createInMemoryQuotas(left: Partial<Record<QuotaKind, number>>): InMemoryQuotas {
  const full = { ...left };
  const now = { ...left };
  const spend: Quotas['count'] = async (_tenant, use) => {
    for (const [kind, amount] of Object.entries(use) as [QuotaKind, number][]) {
      const rest = now[kind];
      if (rest !== undefined) now[kind] = Math.min(full[kind] ?? rest, rest - amount);
    }
  };
  return {
    left: now,
    async take(tenant, use, { mayOwe = false } = {}) {
      for (const [kind, amount] of Object.entries(use) as [QuotaKind, number][]) {
        const rest = now[kind] ?? Number.POSITIVE_INFINITY;
        const needed = Math.max(1, mayOwe ? Math.min(amount, full[kind] ?? amount) : amount);
        if (rest >= needed) continue;
        const retry = { kind: 'wait', afterMs: 7_200_000 } as const;
        throw new MemoryError('rate_limited', `The quota of ${kind} is used up.`, { retry });
      }
      await spend(tenant, use);
    },
    count: spend,
  };
}
