import { MemoryError, toJobError, toMemoryError } from '../contracts/errors.ts';
import type { StepName, StepPayload } from '../contracts/jobs.ts';
import type { StageName } from '../contracts/model/job.ts';
import type { Manifest } from '../contracts/model/manifest.ts';
import type { JobRecord } from '../ports/ledger.ts';
import type { StepDeps } from './deps.ts';
import { embedStep } from './embed.ts';
import { fetchStep } from './fetch.ts';
import { endDeleted, endJob } from './finish.ts';
import { indexStep, removeRecords, takeBackLateWrites } from './index-step.ts';
import type { CancellationWatch } from './jobs/cancellation-watch.ts';
import { finishStage, isOpen, makeWayStage, retryStage, stageOf, waitStage } from './jobs/job-record.ts';
import { addKills, isPoison, killsInARow, killsOf, maxKills, poison, riskyStages } from './jobs/poison.ts';
import { openStepRecord, type StepRecord } from './jobs/step-record.ts';
import { removeLateBlobs } from './late-blobs.ts';
import { currentStep, nextStage } from './next-jobs.ts';
import { ocrStep } from './ocr.ts';
import { parseStep } from './parse.ts';
import { fillStep } from './reindex/fill-step.ts';
import { modelOf } from './reindex/namespace-models.ts';
import { switchStep } from './reindex/switch-step.ts';
import { settleStep } from './settle.ts';
import type { Delivery, Step } from './step.ts';
import { createContext } from './step-context.ts';
import { readManifest } from './stored/artifacts.ts';
import { manifestKey } from './stored/blob-keys.ts';
import { readOutcome } from './stored/outcome.ts';
import { readTombstone } from './stored/tombstone.ts';
import { importStep } from './transfer/import-step.ts';

/** Every step of the flow, by name. */
const steps: Record<StepName, Step> = {
  fetch: fetchStep,
  parse: parseStep,
  ocr: ocrStep,
  embed: embedStep,
  index: indexStep,
  settle: settleStep,
  import: importStep,
  fill: fillStep,
  switch: switchStep,
};

type RunDeps = StepDeps & { readonly cancellations: CancellationWatch };

/**
 * Runs one step of one document version and hands out the next. Safe to run twice: what is done is found done. Errors
 * that end the job are recorded and not thrown; those that the queue shall try again are.
 * @throws MemoryError with `retry` `wait` (a dependency is away) or `backoff` (a fault of ours)
 */
export async function runStep(deps: RunDeps, name: StepName, payload: StepPayload, delivery: Delivery): Promise<void> {
  const stage = stageOfStep(name);
  // The reconciler takes it out of the ledger.
  const aborted = await isAborted(deps, payload).catch((error: unknown) => outageBefore(deps, stage, payload, error));
  if (aborted) return;
  const job = await deps.ledger.getJob(payload.tenant, payload.jobId);
  if (!job || !isOpen(job, payload.run)) return;
  // Done by a run that died before it could hand out what follows.
  if (stageOf(job, stage).state === 'done') return deps.queue.add([currentStep(job)]);
  await runOpenStep(deps, name, payload, delivery, job);
}

/** @param known the version's manifest, where it was read already */
async function runOpenStep(
  deps: RunDeps,
  name: StepName,
  payload: StepPayload,
  delivery: Delivery,
  job: JobRecord,
  known?: Manifest,
): Promise<void> {
  const stage = stageOfStep(name);
  const { state } = stageOf(job, stage);
  // A step that waits for other jobs is woken again and again: that is one start.
  const record = openStepRecord(deps, payload, stage, job, name === 'settle' && state === 'running');
  const cancellation = deps.cancellations.watch(payload.tenant, payload.jobId);
  const signal = AbortSignal.any([delivery.signal, cancellation.signal]);
  try {
    if (isPoison(job, stage, delivery.stalls)) throw poison(stage, killsInARow(job, stage, delivery.stalls));
    const manifest = known ?? (await readManifest(deps.blobs, payload));
    const outage = state === 'waiting' ? await knownOutage(deps, name, manifest) : undefined;
    if (outage) throw outage;
    const { context, reached } = createContext(deps, payload, manifest, stage, record, { ...delivery, signal });
    const result = await steps[name](deps, context);
    // The last stage's step ends the job itself.
    if (result.ended || stage === 'index') return;
    const { next, skipped } = nextStage(stage, result.facts ?? {});
    const finished = await record.update((current) =>
      finishStage(
        current,
        stage,
        {
          skipped,
          warnings: result.warnings ?? [],
          ...reached(),
          next: { stage: next, total: result.nextTotal ?? 0 },
        },
        now(deps),
      ),
    );
    if (!finished || !isOpen(finished, payload.run)) await removeLateBlobs(deps, payload);
    else await handOn(deps, payload, delivery, finished, manifest);
  } catch (thrown) {
    await recordFault(deps, name, payload, delivery, record, cancellation.signal.aborted, thrown);
  } finally {
    record.close();
    cancellation.stop();
  }
}

/**
 * Hands a job on to its next step, through that step's queue. A short plain text is committed at once by whoever has
 * embedded it; what that cannot do, it leaves to the queue (docs/adr/0019-short-texts-are-committed-where-embedded.md).
 */
async function handOn(
  deps: RunDeps,
  payload: StepPayload,
  { attempt, stalls, signal, makeWay }: Delivery,
  job: JobRecord,
  manifest: Manifest,
): Promise<void> {
  const isShort = job.stage === 'index' && manifest.original?.isPlainText;
  if (isShort && attempt === 1 && stalls === 0 && !(await makeWay?.())) {
    try {
      return await runOpenStep(deps, 'index', payload, { attempt, lastAttempt: false, stalls, signal }, job, manifest);
    } catch (error) {
      deps.logger.debug('a commit is left to its queue', { jobId: payload.jobId, error });
    }
  }
  await deps.queue.add([currentStep(job)]);
}

const isAborted = async (deps: StepDeps, payload: StepPayload) =>
  (await readOutcome(deps.blobs, payload))?.state === 'aborted';

/** Why a step that waits need not even be tried, as far as this process knows already. */
async function knownOutage(deps: StepDeps, name: StepName, manifest: Manifest): Promise<MemoryError | undefined> {
  if (name === 'index') return deps.vectors.outage?.();
  if (name === 'embed') return deps.embedderFor(await modelOf(deps, manifest)).outage?.();
  return undefined;
}

function stageOfStep(name: StepName): StageName {
  switch (name) {
    case 'import':
      return 'fetch';
    case 'fill':
      return 'embed';
    case 'settle':
    case 'switch':
      return 'index';
    default:
      return name;
  }
}

const now = (deps: Pick<StepDeps, 'clock'>) => new Date(deps.clock.now()).toISOString();

/** Decides what a fault means for the job: it ends, it waits, or the step is tried again. */
async function recordFault(
  deps: StepDeps,
  name: StepName,
  payload: StepPayload,
  delivery: Delivery,
  record: StepRecord,
  cancelled: boolean,
  thrown: unknown,
): Promise<void> {
  const stage = stageOfStep(name);
  if (cancelled) {
    // Recorded as such by whoever cancelled it; or ended by another process, where this one was frozen.
    if (stage === 'index') await takeBackLateWrites(deps, payload);
    await removeLateBlobs(deps, payload);
    return;
  }
  const classified = classify(thrown, delivery, stage, record.job);
  const isDeleted = classified.code === 'not_found' && (await wasDeleted(deps, payload));
  const error = classified.code === 'not_found' && !isDeleted ? lostBytes(classified) : classified;
  const fields = { jobId: payload.jobId, documentId: payload.documentId, tier: name, attempt: delivery.attempt };
  if (isDeleted) {
    await endDeleted(deps, payload);
    await removeLateBlobs(deps, payload);
    return;
  }
  if (error.retry.kind === 'never' || (error.retry.kind === 'backoff' && delivery.lastAttempt)) {
    if (error.code === 'internal') deps.logger.error('step failed for good', { ...fields, error: thrown });
    else deps.logger.info('document cannot be ingested', { ...fields, code: error.code });
    if (stage === 'index') await removeRecords(deps, payload);
    await endJob(deps, payload, 'failed', { error: toJobError(error), job: record.job }, record.update);
    return;
  }
  if (error.retry.kind === 'elsewhere') {
    // Another process may be at it: how the job stands is for that one to say.
    if (stage === 'index') await takeBackLateWrites(deps, payload);
    await removeLateBlobs(deps, payload);
    throw error;
  }
  if (error.retry.kind === 'yield') {
    await record.update((job) => makeWayStage(job, stage, now(deps)));
    throw error;
  }
  const waits = error.retry.kind === 'wait';
  // It waits for other jobs, and nothing is away; or it has said already what it waits for, and goes on waiting.
  if (isSteady(error) || (waits && saysSo(record.recorded, stage, error))) throw error;
  deps.logger.warn(waits ? 'step waits for a dependency' : 'step will be tried again', { ...fields, error: thrown });
  const change = waits ? waitStage : retryStage;
  // Where the ledger itself is away the queue's own retry still holds the job.
  await record
    .update((job) => addKills(change(job, stage, toJobError(error), now(deps)), killsOf(error)))
    .catch((ledgerError: unknown) =>
      deps.logger.warn('ledger away while recording a fault', { ...fields, error: ledgerError }),
    );
  throw error;
}

/** Whether a document was deleted while a step was at it: then its manifest is gone, or is about to go. */
async function wasDeleted(
  { blobs }: Pick<StepDeps, 'blobs'>,
  { tenant, documentId, version }: StepPayload,
): Promise<boolean> {
  const tombstone = await readTombstone(blobs, tenant, documentId);
  if (tombstone && tombstone.upToVersion >= version) return true;
  return !(await blobs.has(manifestKey({ tenant, documentId, version })));
}

/** A store that has lost what it was given, such as one that was brought back from a backup in part. */
const lostBytes = (cause: MemoryError) =>
  new MemoryError('internal', 'What the document is made of is not in the blob store.', {
    hint: 'Bring the blob store back and retry the job, or ingest the document again.',
    cause,
  });

const isSteady = ({ retry }: MemoryError) => retry.kind === 'wait' && retry.steady === true;

/** Whether a job says already that it waits for just this. */
function saysSo(job: JobRecord, stage: StageName, { message }: MemoryError): boolean {
  const { state, error } = stageOf(job, stage);
  return job.state === 'waiting' && state === 'waiting' && error?.message === message;
}

/** The blob store is away before a step has even begun: the job says that it waits. */
async function outageBefore(deps: StepDeps, stage: StageName, payload: StepPayload, thrown: unknown): Promise<never> {
  const error = toMemoryError(thrown);
  const change = (job: JobRecord) =>
    isOpen(job, payload.run) && stageOf(job, stage).state !== 'done' && !saysSo(job, stage, error)
      ? waitStage(job, stage, toJobError(error), now(deps))
      : undefined;
  if (error.retry.kind === 'wait') {
    await deps.ledger
      .updateJob(payload.tenant, payload.jobId, change)
      .catch((ledgerError: unknown) =>
        deps.logger.warn('ledger away while recording a fault', { jobId: payload.jobId, error: ledgerError }),
      );
  }
  throw error;
}

function classify(thrown: unknown, delivery: Delivery, stage: StageName, job: JobRecord): MemoryError {
  // The process ends or the step took too long: what the work threw when it was stopped says less than why it was.
  const error = toMemoryError(delivery.signal.aborted ? delivery.signal.reason : thrown);
  const kills = killsInARow(job, stage, delivery.stalls) + killsOf(error);
  const isFatal = killsOf(error) > 0 && riskyStages.includes(stage) && kills >= maxKills;
  return isFatal ? poison(stage, kills, thrown) : error;
}
