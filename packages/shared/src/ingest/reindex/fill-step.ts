import type { StepDeps } from '../deps.ts';
import { othersGoFirst, type Step, type StepContext } from '../step.ts';
import { openFill } from './fill-collection.ts';
import { beginReindex } from './reindex.ts';

/** A slice begins by listing the collection, so it lasts for a while even where others wait, and not for ever. */
const leastSliceMs = 20_000;
const mostSliceMs = 5 * 60_000;

/**
 * Embeds what a namespace holds by another model, into a collection of its own that no search looks into yet. Vectors are
 * stored batch by batch beside the former model's: a crash repeats a few, and asking for the model again repeats none.
 */
export const fillStep: Step = async (deps, context) => {
  const { key, isSwitched } = await beginReindex(deps, context);
  if (isSwitched) return {};
  const fill = await openFill(deps, key, watchOf(deps, context));
  await fill.catchUp();
  let chunks = 0;
  for (const row of fill.rows.values()) chunks += row.chunks;
  return { nextTotal: chunks };
};

/** How a step watches its fill: it tells how far it is, and makes way for others now and then. */
export function watchOf(deps: Pick<StepDeps, 'clock'>, context: StepContext) {
  const startedAt = deps.clock.now();
  let othersWait = false;
  return {
    signal: context.signal,
    async progress(done: number, total: number) {
      await context.progress(done, total);
      const lastedMs = deps.clock.now() - startedAt;
      if (done < total && (lastedMs > mostSliceMs || (othersWait && lastedMs > leastSliceMs))) throw othersGoFirst();
    },
    async stored() {
      othersWait = await context.checkpoint();
    },
  };
}
