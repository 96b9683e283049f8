import type { QuotaKind } from '../contracts/quotas.ts';

/** How much of what. */
export type QuotaUse = { readonly [Kind in QuotaKind]?: number };

/** So much in so many milliseconds, by kind. Kinds that are absent are not limited. */
export type QuotaLimits = {
  readonly [Kind in QuotaKind]?: { readonly amount: number; readonly periodMs: number };
};

/**
 * What each tenant may use in a time, counted over all processes. A quota fills up again evenly: what was used a period
 * ago is there once more, and so is a part of it before.
 */
export interface Quotas {
  /**
   * Counts what is about to be used, where as much is left of each kind; 0 asks that anything be left.
   * @param options.mayOwe what is larger than a whole quota goes through where nothing of it is used, and the rest is
   * owed: for work that cannot be made smaller, and would else wait for ever
   * @throws MemoryError `rate_limited` with when enough will be left (nothing is counted then), `dependency_unavailable`
   */
  take(tenant: string, use: QuotaUse, options?: { readonly mayOwe?: boolean }): Promise<void>;
  /**
   * Counts what was used already, or gives back what was not (a negative number). What goes beyond a quota is owed, at
   * most as much again.
   * @throws MemoryError `dependency_unavailable`
   */
  count(tenant: string, use: QuotaUse): Promise<void>;
}
