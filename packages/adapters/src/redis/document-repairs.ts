import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import * as documents from '@semantic-memory/shared/ports/document-transitions';
import type { Ledger, LedgerDocument } from '@semantic-memory/shared/ports/ledger';
import {
  countVersionScript,
  markIndexScript,
  newEpoch,
  restoreDocumentScript,
  switchModelScript,
} from './document-scripts.ts';
import { type LedgerAccess, readLedger, runLedgerScript } from './gate.ts';
import { parseRevisioned } from './revisioned.ts';

type DocumentRepairs = Pick<Ledger, 'tenants' | 'reviseDocument' | 'countVersion' | 'markIndex' | 'switchModel'>;

/** What a rebuild and the reconciler do to the ledger's documents, beside what requests and steps do. */
export function createDocumentRepairs(access: LedgerAccess): DocumentRepairs {
  const { keys } = access;
  return {
    tenants: () => readLedger(access, (redis) => redis.smembers(keys.tenants)),

    async reviseDocument(scope, documentId, embeddingModel, revise) {
      const { tenant, namespace } = scope;
      const { documents: stored, rows, changes, tombstones, head, documentsByAge } = keys.namespace(scope);
      const { homes, documents: ofTenant, versionCounters, namespaces } = keys.tenant(tenant);
      const names = [
        ...[stored, rows, changes, tombstones, head, homes, ofTenant, documentsByAge],
        ...[versionCounters, namespaces, keys.tenants],
      ];
      let current = parseRevisioned<LedgerDocument>(
        await readLedger(access, (redis) => redis.hget(stored, documentId)),
      );
      for (;;) {
        const next = revise(current?.value);
        if (!next) return false;
        const row = documents.rowOf(next);
        const member = `${current?.value.createdAt ?? next.createdAt}|${documentId}`;
        const args = [
          ...[documentId, current?.revision ?? '0', JSON.stringify(next), row ? JSON.stringify(row) : ''],
          ...[`${member}|${namespace}`, member, namespace, tenant, next.latestVersion, embeddingModel],
          ...[newEpoch(), Math.floor(Date.now() / 1000)],
        ];
        const answer = await runLedgerScript(access, restoreDocumentScript, names, args);
        const [outcome, detail] = answer as [string, string?];
        if (outcome === 'ok') return true;
        if (outcome === 'elsewhere') {
          throw new MemoryError('conflict', `Document ${documentId} belongs to another namespace.`);
        }
        current = parseRevisioned<LedgerDocument>(detail);
      }
    },

    async countVersion(tenant, documentId, version) {
      const { versionCounters } = keys.tenant(tenant);
      await runLedgerScript(access, countVersionScript, [versionCounters, keys.tenants], [documentId, version, tenant]);
    },

    /** @param ifGeneration as `readDocumentChanges` gives it */
    async switchModel(scope, model, ifGeneration = '') {
      const { tenant, namespace } = scope;
      const names = [keys.namespace(scope).head, keys.tenant(tenant).namespaces, keys.tenants];
      const args = [model, ifGeneration, namespace, tenant, newEpoch(), Math.floor(Date.now() / 1000)];
      return (await runLedgerScript(access, switchModelScript, names, args)) === 1;
    },

    async markIndex(scope, state) {
      await runLedgerScript(
        access,
        markIndexScript,
        [keys.namespace(scope).head],
        [state === 'incomplete' ? '1' : '0'],
      );
    },
  };
}
