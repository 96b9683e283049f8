import type { JobName, JobPayload, StepName } from '@semantic-memory/shared/contracts/jobs';
import { type DryRunDeps, fetchDry, parseDry } from '@semantic-memory/shared/ingest/dry-run/run-dry';
import { expireIdempotency } from '@semantic-memory/shared/ingest/idempotency/expire-idempotency';
import { compactPostings } from '@semantic-memory/shared/ingest/index/compact-postings';
import type { CancellationWatch } from '@semantic-memory/shared/ingest/jobs/cancellation-watch';
import { expireJobs } from '@semantic-memory/shared/ingest/jobs/expire-jobs';
import { reembed } from '@semantic-memory/shared/ingest/reindex/embed-version';
import { removeLeftModels } from '@semantic-memory/shared/ingest/reindex/left-models';
import { finishDeletions, sweepDocument } from '@semantic-memory/shared/ingest/remove';
import { runStep } from '@semantic-memory/shared/ingest/run-step';
import type { Delivery } from '@semantic-memory/shared/ingest/step';
import { expireVersions } from '@semantic-memory/shared/ingest/versions/expire';
import { notify, type WebhookSettings } from '@semantic-memory/shared/ingest/webhooks/notify';
import type { Cache } from '@semantic-memory/shared/ports/cache';
import type { LedgerRecovery } from '@semantic-memory/shared/ports/ledger';
import { reconcileFor } from './reconciling.ts';

/** One handler for every job that a queue may carry: a missing one does not compile. */
export type Handlers = {
  readonly [Name in JobName]: (payload: JobPayload<Name>, delivery: Delivery) => Promise<void>;
};

/** What the handlers stand on. */
export interface HandlerDeps extends DryRunDeps {
  readonly cancellations: CancellationWatch;
  readonly webhooks: WebhookSettings;
  readonly recovery: LedgerRecovery;
  /** What a delete clears; absent where nothing is kept. */
  readonly cache?: Pick<Cache, 'clear'> | undefined;
  /** How long replaced versions are kept, and vectors of models that were left. */
  readonly versionRetentionMs: number;
}

export function createHandlers(deps: HandlerDeps): Handlers {
  const step = (name: StepName) => (payload: JobPayload<StepName>, delivery: Delivery) =>
    runStep(deps, name, payload, delivery);
  return {
    fetch: step('fetch'),
    parse: step('parse'),
    ocr: step('ocr'),
    embed: step('embed'),
    index: step('index'),
    settle: step('settle'),
    import: step('import'),
    fill: step('fill'),
    switch: step('switch'),
    reembed: (payload, { signal }) => reembed(deps, payload, signal),
    reconcile: ({ reason }) => reconcileFor(deps, reason),
    expire: () => forgetExpired(deps),
    sweep: (payload) => sweepDocument(deps, payload),
    dryRun: (payload, delivery) => parseDry(deps, payload, delivery),
    dryRunFetch: (payload, delivery) => fetchDry(deps, payload, delivery),
    notify: (payload, delivery) => notify(deps, payload, delivery),
  };
}

/** What cannot be forgotten now keeps nothing else from being forgotten. @throws what the first threw, after all others */
async function forgetExpired(deps: HandlerDeps): Promise<void> {
  const faults: unknown[] = [];
  for (const forget of [
    () => expireIdempotency(deps),
    () => finishDeletions(deps),
    () => expireVersions(deps, deps.versionRetentionMs),
    () => expireJobs(deps),
    () => removeLeftModels(deps, deps.versionRetentionMs),
    () => compactPostings(deps),
  ])
    await forget().catch((error: unknown) => faults.push(error));
  if (faults.length > 0) throw faults[0];
}

/** Runs the job by its name; the queue has parsed the payload by that name's schema. */
export function dispatch(
  handlers: Handlers,
  job: { [Name in JobName]: { readonly name: Name; readonly payload: JobPayload<Name> } }[JobName],
  delivery: Delivery,
): Promise<void> {
  // The union of name and payload cannot be called as a whole; each pair fits by its own type.
  const handler = handlers[job.name] as (payload: typeof job.payload, delivery: Delivery) => Promise<void>;
  return handler(job.payload, delivery);
}
