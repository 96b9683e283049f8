import type { Scope } from '../../contracts/model/ids.ts';
import { isTerminal } from '../../contracts/model/job.ts';
import type { Manifest } from '../../contracts/model/manifest.ts';
import type { IngestDeps } from '../deps.ts';
import type { Outcome } from '../stored/outcome.ts';
import { lastSwitch, recordSwitch } from './namespace-models.ts';

type RestoreDeps = Pick<IngestDeps, 'blobs' | 'ledger'>;

/**
 * Makes the ledger say of a namespace which model it has, as the blob store tells. A switch whose job is open is carried
 * out by that job, which sees to it that nothing is lost.
 * @returns whether it said otherwise
 */
export async function restoreModel({ blobs, ledger }: RestoreDeps, { tenant, namespace }: Scope): Promise<boolean> {
  const scope = { tenant, namespace };
  const last = await lastSwitch(blobs, scope);
  if (!last || (await ledger.embeddingModelOf(scope)) === last.model) return false;
  const job = await ledger.getJob(tenant, last.jobId);
  if (job && !isTerminal(job.state)) return false;
  return ledger.switchModel(scope, last.model);
}

/**
 * The same for what the versions of a namespace's jobs tell: a re-index that has ended well may have died before it could
 * record its switch.
 */
export async function restoreSwitches(
  deps: RestoreDeps,
  versions: readonly { readonly manifest: Manifest; readonly outcome: Outcome | undefined }[],
): Promise<boolean> {
  let restored = false;
  for (const { manifest, outcome } of versions) {
    const { source, tenant, namespace, version: number, jobId } = manifest;
    if (source.type !== 'reindex' || outcome?.state !== 'succeeded') continue;
    await recordSwitch(deps.blobs, { tenant, namespace, number, model: source.model, jobId, at: outcome.at });
    if (await restoreModel(deps, manifest)) restored = true;
  }
  return restored;
}
