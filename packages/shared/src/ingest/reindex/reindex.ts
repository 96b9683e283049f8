import { MemoryError } from '../../contracts/errors.ts';
import type { StoredSource } from '../../contracts/model/source.ts';
import type { CollectionKey } from '../../ports/vector-index.ts';
import type { StepDeps } from '../deps.ts';
import type { StepContext } from '../step.ts';
import { readOutcome } from '../stored/outcome.ts';
import { markLeft } from './left-models.ts';
import { lastSwitch, modelOf, noteModel } from './namespace-models.ts';
import { openReindexes } from './open-reindexes.ts';

export interface Reindex {
  readonly source: Extract<StoredSource, { type: 'reindex' }>;
  /** The collection that is filled. */
  readonly key: CollectionKey;
  /** The model that the namespace has now. */
  readonly formerModel: string;
  /** It was switched by an earlier run of the step: the collection is in use, and is not filled any more. */
  readonly isSwitched: boolean;
}

/**
 * What a step of a re-index begins with. From here on deletes look into the new model's collection too.
 * @throws MemoryError `conflict` where a later one is under way or done
 */
export async function beginReindex(deps: StepDeps, context: StepContext): Promise<Reindex> {
  const { manifest, payload } = context;
  const { tenant, namespace } = manifest;
  // Jobs of no other source have these steps.
  const source = manifest.source as Reindex['source'];
  const outcome = await readOutcome(deps.blobs, payload);
  // What is decided is carried out.
  if (outcome?.state !== 'succeeded') await assertLatest(deps, context);
  const formerModel = await modelOf(deps, manifest);
  const isSwitched = formerModel === source.model;
  if (isSwitched && outcome?.state !== 'succeeded')
    throw new MemoryError('conflict', `The namespace has the model ${source.model} already.`);
  for (const model of [formerModel, source.model]) await noteModel(deps.blobs, manifest, model);
  // Where nothing comes of it, what was filled is of no use.
  if (!isSwitched) await markLeft(deps.blobs, manifest, source.model, context.job.createdAt);
  return { source, key: { tenant, namespace, model: source.model }, formerModel, isSwitched };
}

async function assertLatest({ ledger, blobs }: StepDeps, { payload }: StepContext): Promise<void> {
  const { version } = payload;
  const later = (await openReindexes(ledger, payload)).find((job) => job.version > version);
  if (later) throw new MemoryError('conflict', `Job ${later.id}, asked for after this one, re-indexes the namespace.`);
  const done = await lastSwitch(blobs, payload);
  if (done && done.number > version)
    throw new MemoryError('conflict', `Job ${done.jobId} has given the namespace the model ${done.model} since.`, {
      hint: 'Ask for a new re-index instead of this one.',
    });
}
