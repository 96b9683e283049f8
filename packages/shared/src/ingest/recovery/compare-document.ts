import type { QueuedJob } from '../../ports/job-queue.ts';
import type { LexicalIndex } from '../../ports/lexical-index.ts';
import type { VectorIndex } from '../../ports/vector-index.ts';
import type { IngestDeps } from '../deps.ts';
import { restorePostings } from '../index/postings.ts';
import { sweepDocument } from '../remove.ts';
import { deletingKey } from '../stored/blob-keys.ts';
import { type DocumentFacts, readDocumentFacts } from './document-facts.ts';
import type { DriftKind, Findings } from './findings.ts';
import { restoreDocument } from './restore-document.ts';

/** A version without a job and without an end that is younger may belong to a request that is under way. */
export const requestMs = 15_000;
/** How often a document that changes under the comparison is compared again. */
const maxRounds = 3;

export interface ReconcileDeps extends IngestDeps {
  readonly vectors: VectorIndex;
  readonly lexical: LexicalIndex;
}

/**
 * Makes the ledger say of one document what the blob store tells, and finishes its delete.
 * @param youngerThanMs see `restoreDocument`; 0 where the ledger has lost its last writes: a request that is under way
 * finds its job there, or takes it out again
 */
export async function compareDocument(
  deps: ReconcileDeps,
  findings: Findings,
  tenant: string,
  documentId: string,
  youngerThanMs = requestMs,
): Promise<void> {
  const id = idOf(tenant, documentId);
  if (findings.compared.has(id)) return;
  const steps: QueuedJob[] = [];
  const kinds = new Set<DriftKind>();
  for (let round = 1; round <= maxRounds; round += 1) {
    const facts = await readDocumentFacts(deps.blobs, tenant, documentId);
    if (!facts) break;
    const restored = await restoreDocument(deps, facts, youngerThanMs);
    const news = restored.drift.filter((kind) => !kinds.has(kind));
    for (const kind of restored.drift) if (!kinds.has(kind)) findings.found(kind);
    for (const kind of news) kinds.add(kind);
    steps.push(...restored.steps);
    if (restored.retitled) await renewPostings(deps, tenant, documentId);
    await finishDelete(deps, findings, facts);
    // What was read may have been outdated by then: only a look that finds nothing ends it.
    if (news.length === 0) break;
    findings.compared.add(id);
  }
  if (steps.length > 0) await deps.queue.add(steps);
}

async function renewPostings(deps: ReconcileDeps, tenant: string, documentId: string): Promise<void> {
  const document = await deps.ledger.getDocument(tenant, documentId);
  if (document) await restorePostings(deps, document, document);
}

const idOf = (tenant: string, documentId: string) => JSON.stringify([tenant, documentId]);

/** Removes what is left of versions whose delete was verified: a writer from before it has woken since. */
async function finishDelete(deps: ReconcileDeps, findings: Findings, facts: DocumentFacts): Promise<void> {
  const { tenant, documentId, tombstone, buried } = facts;
  if (!tombstone || deps.clock.now() - Date.parse(tombstone.at) < requestMs) return;
  if (buried.length === 0 || (await deps.blobs.has(deletingKey(tenant, documentId)))) return;
  // A walk meets a tombstone and what lies beside it at the same time.
  const id = idOf(tenant, documentId);
  if (findings.compared.has(id)) return;
  findings.compared.add(id);
  for (const { namespace } of await deps.ledger.namespaces(tenant)) {
    await sweepDocument(deps, { tenant, namespace, documentId, upToVersion: tombstone.upToVersion });
  }
  findings.found('written_after_delete', buried.length);
}
