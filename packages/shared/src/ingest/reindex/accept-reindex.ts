import { MemoryError } from '../../contracts/errors.ts';
import type { JudgedQuery } from '../../contracts/model/comparison.ts';
import type { Scope } from '../../contracts/model/ids.ts';
import type { Embedder } from '../../ports/embedder.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import { type AcceptDeps, accept } from '../accept.ts';
import { assertServed } from '../assert-served.ts';
import { namespaceDocumentId } from '../new-id.ts';
import { readManifest } from '../stored/artifacts.ts';
import { openReindexes } from './open-reindexes.ts';

export interface AcceptReindexDeps extends AcceptDeps {
  readonly embedderFor: (model: string) => Embedder | undefined;
}

export interface ReindexRequest {
  readonly model: string;
  /** Switches whatever the comparison says. */
  readonly force: boolean;
  readonly judged: readonly JudgedQuery[];
}

/**
 * Accepts that a namespace is to get another embedding model. Asked again for the same while that is under way, it is the
 * same job.
 * @throws MemoryError `not_found` where there is no such namespace, `conflict` where it has that model or another re-index
 * is under way, `unprocessable` where this service has not the model
 */
export async function acceptReindex(
  deps: AcceptReindexDeps,
  { tenant, namespace }: Scope,
  { model, force, judged }: ReindexRequest,
): Promise<JobRecord> {
  const scope = { tenant, namespace };
  const present = await deps.ledger.embeddingModelOf(scope);
  if (present === undefined) throw new MemoryError('not_found', `There is no namespace ${namespace}.`);
  const [open] = await openReindexes(deps.ledger, scope);
  if (open) {
    const { source } = await readManifest(deps.blobs, open);
    if (source.type === 'reindex' && source.model === model && source.force === force) return open;
    throw new MemoryError('conflict', `The namespace is being re-indexed by job ${open.id}.`, {
      hint: 'Wait for it, or cancel it first.',
    });
  }
  if (present === model) throw new MemoryError('conflict', `The namespace has the model ${model} already.`);
  assertServed(deps.embedderFor, model, {
    what: `The model ${model} is not configured here.`,
    hint: 'Set OPENAI_API_KEY or OPENAI_BASE_URL for the endpoint that serves it.',
  });
  return accept(deps, {
    ...scope,
    documentId: namespaceDocumentId(namespace),
    metadata: {},
    priority: 'normal',
    options: {},
    source: { type: 'reindex', model, force, ...(judged.length > 0 ? { judged: [...judged] } : {}) },
  });
}
