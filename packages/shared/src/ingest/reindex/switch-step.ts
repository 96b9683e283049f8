import { MemoryError } from '../../contracts/errors.ts';
import type { ModelComparison } from '../../contracts/model/comparison.ts';
import type { StepDeps } from '../deps.ts';
import { endedRecord, followOutcome } from '../finish.ts';
import { askReconcile } from '../recovery/ask-reconcile.ts';
import type { Step, StepContext } from '../step.ts';
import { type Outcome, readOutcome, writeOutcomeOnce } from '../stored/outcome.ts';
import { compareModels } from './compare-models.ts';
import { type Fill, openFill } from './fill-collection.ts';
import { watchOf } from './fill-step.ts';
import { markLeft } from './left-models.ts';
import { recordSwitch } from './namespace-models.ts';
import { beginReindex, type Reindex } from './reindex.ts';

/**
 * Gives a namespace its next embedding model: compares it with the one before, decides, and switches in the one moment in
 * which the new collection holds all that a search can see. The end of the job is the decision, durable before anything
 * is switched: a cancel comes before it or too late.
 * @throws MemoryError `worse_model`
 */
export const switchStep: Step = async (deps, context) => {
  const { payload } = context;
  const reindex = await beginReindex(deps, context);
  const before = await readOutcome(deps.blobs, payload);
  const outcome = reindex.isSwitched && before ? before : await decideAndSwitch(deps, context, reindex, before);
  await followOutcome(deps, payload, outcome, context.updateJob);
  // What a mark of the former collection said is not true of this one.
  askReconcile(deps.queue, deps.logger, 'index');
  return { ended: true };
};

async function decideAndSwitch(
  deps: StepDeps,
  context: StepContext,
  reindex: Reindex,
  before: Outcome | undefined,
): Promise<Outcome> {
  const fill = await openFill(deps, reindex.key, watchOf(deps, context));
  await fill.catchUp();
  let outcome = before?.state === 'succeeded' ? before : undefined;
  if (!outcome) {
    await judge(deps, context, reindex, fill);
    await fill.catchUp();
    if (!(await fill.isWhole()))
      throw new MemoryError('internal', 'The index has lost some of what was written to it.');
    await markLeft(deps.blobs, reindex.key, reindex.formerModel, new Date(deps.clock.now()).toISOString());
    outcome = await decide(deps, context);
  }
  if (outcome.state === 'succeeded') await carryOut(deps, context, reindex, fill, outcome);
  return outcome;
}

/** Compares, and says in the job what came of it. */
async function judge(deps: StepDeps, context: StepContext, reindex: Reindex, fill: Fill): Promise<void> {
  const { source, key, formerModel } = reindex;
  const { signal, payload } = context;
  const { judged = [], force } = source;
  const request = { scope: key, formerModel, model: key.model, rows: fill.rows, seed: payload.jobId, judged, signal };
  const comparison = await compareModels(deps, request).catch((error: unknown): ModelComparison => {
    // Of a model that is gone for good nothing can be said any more: whoever forces the switch knows that.
    if (!force || !(error instanceof MemoryError) || error.code !== 'dependency_unavailable') throw error;
    const reasons = [`The models could not be compared: ${error.message}`];
    return { formerModel, model: key.model, verdict: 'not_compared', reasons, switched: false };
  });
  const switched = comparison.verdict !== 'worse' || force;
  const updatedAt = new Date(deps.clock.now()).toISOString();
  await context.updateJob((job) => ({ ...job, comparison: { ...comparison, switched }, updatedAt }));
  if (switched) return;
  throw new MemoryError(
    'worse_model',
    `${key.model} finds worse than ${formerModel}. ${comparison.reasons.join(' ')}`,
    {
      hint: 'The namespace keeps its model. Ask again with force to switch all the same.',
    },
  );
}

async function decide(deps: StepDeps, { payload, job }: StepContext): Promise<Outcome> {
  const at = new Date(deps.clock.now()).toISOString();
  const state = 'succeeded';
  return writeOutcomeOnce(deps.blobs, payload, { state, run: payload.run, at, ...endedRecord(job, state, at) });
}

/** Whoever repeats this after a crash finishes it. */
async function carryOut(
  deps: StepDeps,
  { payload }: StepContext,
  { key }: Reindex,
  fill: Fill,
  { at }: Outcome,
): Promise<void> {
  const { tenant, namespace, model } = key;
  const { version: number, jobId } = payload;
  await recordSwitch(deps.blobs, { tenant, namespace, number, model, jobId, at });
  for (;;) {
    const { generation } = await fill.catchUp();
    // Refused where anything was committed or deleted meanwhile.
    if (await deps.ledger.switchModel({ tenant, namespace }, model, generation)) break;
  }
  deps.logger.info('a namespace has another embedding model', { jobId });
}
