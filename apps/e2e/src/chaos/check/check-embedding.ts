import { faultKinds } from '../faults/plan.ts';
import { type RunState, violate } from '../run-state.ts';

/** Texts that one crash may have embedded twice: two batches (`vectorBatchSize` of the service). */
const batchSize = 64;

export interface EmbeddingCount {
  readonly texts: number;
  readonly different: number;
  readonly allowed: number;
}

/** Nothing is paid for twice, but for a batch each time that something broke off in the middle of one. */
export function checkEmbedding(state: RunState): EmbeddingCount {
  const { texts, different } = state.fleet.model.embedded();
  const crashes = state.faults.filter(({ kind }) => faultKinds[kind]?.repeatsBatch).length;
  const allowed = different + crashes * batchSize;
  if (texts > allowed) {
    violate(
      state,
      'paid_twice',
      `${texts} texts were embedded: ${different} different ones, and ${crashes} crashes allow ${allowed}`,
    );
  }
  return { texts, different, allowed };
}
