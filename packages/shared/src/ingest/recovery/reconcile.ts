import { Manifest } from '../../contracts/model/manifest.ts';
import { ModelSwitch } from '../reindex/namespace-models.ts';
import { restoreModel } from '../reindex/restore-model.ts';
import { readJson } from '../stored/artifacts.ts';
import { BatchRecord } from '../stored/batch-record.ts';
import { tenantPrefix, tenantsPrefix } from '../stored/blob-keys.ts';
import { isDamage } from '../stored/damage.ts';
import { Tombstone } from '../stored/tombstone.ts';
import { forEachAtOnce, type StoredFact, walkStore } from '../stored/walk-store.ts';
import { redeliverWebhooks } from '../webhooks/webhook-outbox.ts';
import { checkIndex } from './check-index.ts';
import { checkPostings } from './check-postings.ts';
import { compareDocument, type ReconcileDeps, requestMs } from './compare-document.ts';
import { createFindings, type DriftKind, driftKinds, type Findings, indexDriftKinds } from './findings.ts';
import { restoreBatch } from './rebuild-ledger.ts';
import { reconcileOpen } from './reconcile-open.ts';
import { removeOrphanOriginals } from './remove-orphans.ts';

/** Documents that are compared at the same time; requests and steps want the disk too. */
const atOnce = 8;
export interface ReconcileReport {
  readonly checked: number;
  /** What was found wrong, by kind. */
  readonly drift: Record<string, number>;
  readonly repaired: number;
}

export interface ReconcileScope {
  /** Only this tenant's; everybody's where absent. */
  readonly tenant?: string | undefined;
  /**
   * Which documents are compared beside those that are on their way: none, one of 256 parts (by the hash of their id),
   * or all.
   */
  readonly documents?: 'none' | 'all' | { readonly part: number };
  /** Whether the index is compared by its number of records or read through; not at all where absent. */
  readonly index?: 'counted' | 'exact';
  /**
   * Queue and ledger may have lost their last writes: all that is open is handed out again, which the queue ignores
   * where it has it, and nothing is left alone for being young.
   */
  readonly tailLost?: boolean;
  /** Stops before the next document. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Compares what was accepted with what the ledger knows, and repairs. What is on its way is found by its markers, and
 * always looked at; the documents are walked in parts. Safe at any time and from several processes.
 */
export async function reconcile(deps: ReconcileDeps, scope: ReconcileScope = {}): Promise<ReconcileReport> {
  const findings = createFindings();
  await reconcileOpen(deps, findings, scope);
  const { documents = 'none' } = scope;
  if (documents !== 'none') await reconcileDocuments(deps, findings, scope, documents);
  if (scope.index) await checkIndex(deps, findings, { tenant: scope.tenant, exact: scope.index === 'exact' });
  await reconcilePostings(deps, findings, scope);
  findings.found('webhook_unannounced', await redeliverWebhooks(deps, { tenant: scope.tenant }));
  if (scope.tenant === undefined) findings.found('upload_left', await removeOrphanOriginals(deps));
  // One tenant's says nothing about the others, and nobody would take back what it found.
  if (scope.tenant !== undefined) return reported(deps, findings, []);
  return reported(deps, findings, scope.index ? driftKinds : driftKinds.filter((kind) => !isOfIndex(kind)));
}

/** Compares only the index with the ledger, and repairs. */
export async function reconcileIndex(deps: ReconcileDeps, index: 'counted' | 'exact'): Promise<ReconcileReport> {
  const findings = createFindings();
  await checkIndex(deps, findings, { exact: index === 'exact' });
  return reported(deps, findings, indexDriftKinds);
}

const isOfIndex = (kind: DriftKind): boolean => (indexDriftKinds as readonly DriftKind[]).includes(kind);

/** @param kinds that were looked for: one that was not found is said to be 0, and of others nothing is known */
function reported(deps: ReconcileDeps, findings: Findings, kinds: readonly DriftKind[]): ReconcileReport {
  const { checked, drift, repaired } = findings;
  for (const kind of kinds) deps.metrics.indexDrift(kind, drift[kind] ?? 0);
  if (repaired > 0) deps.logger.info('reconciled', { checked, drift, repaired });
  return { checked, drift, repaired };
}

async function reconcilePostings(
  deps: ReconcileDeps,
  findings: Findings,
  { tenant, documents, signal }: ReconcileScope,
): Promise<void> {
  const thorough = documents === 'all';
  for (const name of tenant === undefined ? await deps.ledger.tenants() : [tenant]) {
    for (const { namespace } of await deps.ledger.namespaces(name)) {
      try {
        const checked = await checkPostings(deps, { tenant: name, namespace }, { thorough, signal });
        findings.found('postings_missing', checked.missing, checked.restored);
      } catch (error) {
        // One damaged record is no reason to leave the other namespaces.
        if (!isDamage(error)) throw error;
        deps.logger.error('the postings of a namespace cannot be compared', { error });
        findings.found('damaged', 1, 0);
      }
    }
  }
}

async function reconcileDocuments(
  deps: ReconcileDeps,
  findings: Findings,
  { tenant, signal, tailLost = false }: ReconcileScope,
  documents: 'all' | { readonly part: number },
): Promise<void> {
  for (const prefix of await prefixesOf(deps, tenant, documents)) {
    await forEachAtOnce(walkStore(deps.blobs, prefix), atOnce, async (fact) => {
      signal?.throwIfAborted();
      findings.checked += 1;
      await compareFact(deps, findings, fact, tailLost ? 0 : requestMs).catch((error: unknown) => {
        if (!isDamage(error)) throw error;
        deps.logger.error('a record in the blob store cannot be used', { kind: fact.kind, error });
        findings.found('damaged', 1, 0);
      });
    });
  }
}

/** Tenants that the ledger has forgotten are found by a walk over all only. */
async function prefixesOf(
  deps: ReconcileDeps,
  tenant: string | undefined,
  documents: 'all' | { readonly part: number },
): Promise<string[]> {
  if (documents === 'all') return [tenant === undefined ? tenantsPrefix : tenantPrefix(tenant)];
  const part = (documents.part % 256).toString(16).padStart(2, '0');
  const tenants = tenant === undefined ? await deps.ledger.tenants() : [tenant];
  return tenants.map((name) => `${tenantPrefix(name)}documents/${part}/`);
}

async function compareFact(
  deps: ReconcileDeps,
  findings: Findings,
  fact: StoredFact,
  youngerThanMs: number,
): Promise<void> {
  switch (fact.kind) {
    case 'document': {
      const manifest = await readJson(deps.blobs, fact.manifestKey, Manifest);
      if (manifest) await compareDocument(deps, findings, manifest.tenant, manifest.documentId, youngerThanMs);
      return;
    }
    case 'tombstone': {
      const tombstone = await readJson(deps.blobs, fact.key, Tombstone);
      if (tombstone) await compareDocument(deps, findings, tombstone.tenant, tombstone.documentId, youngerThanMs);
      return;
    }
    case 'batch': {
      const batch = await readJson(deps.blobs, fact.key, BatchRecord);
      if (batch && (await restoreBatch(deps, batch))) findings.found('batch_missing');
      return;
    }
    case 'model_switch': {
      const known = await readJson(deps.blobs, fact.key, ModelSwitch);
      if (known && (await restoreModel(deps, known))) findings.found('model_differs');
      return;
    }
  }
}
