import type { Ledger, Retired } from '@semantic-memory/shared/ports/ledger';
import { type LedgerAccess, readLedger, runLedgerScript } from './gate.ts';
import { createBatchScript, forgetBatchScript, retireScript } from './job-scripts.ts';

/** What is kept only so that it can be asked for, in one list of all tenants, and the batches, which are of that kind from the start. */
export function createRetirement(
  deps: LedgerAccess,
): Pick<Ledger, 'createBatch' | 'getBatch' | 'forgetBatch' | 'retire' | 'retired'> {
  const { keys } = deps;
  return {
    async createBatch(tenant, batchId, jobIds, atMs) {
      const args = [JSON.stringify(jobIds), atMs, retiredMember('batch', batchId, tenant)];
      await runLedgerScript(deps, createBatchScript, [keys.tenant(tenant).batch(batchId), keys.retired], args);
    },

    async getBatch(tenant, batchId) {
      const stored = await readLedger(deps, (redis) => redis.get(keys.tenant(tenant).batch(batchId)));
      return stored === null ? undefined : JSON.parse(stored);
    },

    async forgetBatch(tenant, batchId) {
      const names = [keys.tenant(tenant).batch(batchId), keys.retired];
      await runLedgerScript(deps, forgetBatchScript, names, [retiredMember('batch', batchId, tenant)]);
    },

    async retire(tenant, kind, ids, atMs) {
      const members = ids.map((id) => retiredMember(kind, id, tenant));
      await runLedgerScript(deps, retireScript, [keys.retired], [atMs, ...members]);
    },

    async retired(untilMs, limit) {
      const members = await readLedger(deps, (redis) =>
        redis.zrangebyscore(keys.retired, '-inf', untilMs, 'LIMIT', 0, limit),
      );
      return members.map((member) => {
        const [kind, id, ...tenant] = member.split('|') as [Retired['kind'], string, ...string[]];
        return { kind, tenant: tenant.join('|'), id };
      });
    },
  };
}

export const retiredMember = (kind: Retired['kind'], id: string, tenant: string) => `${kind}|${id}|${tenant}`;
