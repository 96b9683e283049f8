import type { DocumentChunk } from '@semantic-memory/shared/contracts/model/document';
import { recoversWithinMs } from '../faults/inject-faults.ts';
import { pause } from '../fleet/managed-process.ts';
import { inspectHits } from '../inspect-hits.ts';
import { tenants } from '../operations.ts';
import { type RunState, violate } from '../run-state.ts';
import type { Slot } from '../slots.ts';
import { inBatches } from '../watcher.ts';
import type { ActiveDocument } from './check-documents.ts';

const queriesAtOnce = 20;
const topK = 10;
/** The longest query that the service takes. */
const longestQuery = 8_000;

/** Every chunk of every active document is among the first hits of a search for its own text. Returns how many. */
export async function checkFound(state: RunState, active: readonly ActiveDocument[]): Promise<number> {
  const chunks = active.flatMap(({ slot, chunks: all }) => all.map((chunk) => ({ slot, chunk })));
  const groups = Map.groupBy(chunks, ({ slot }) => slot.tenant);
  const batches = [...groups.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / queriesAtOnce) }, (_, at) =>
      group.slice(at * queriesAtOnce, (at + 1) * queriesAtOnce),
    ),
  );
  await inBatches(batches, 3, async (batch) => {
    const tenant = batch[0]?.slot.tenant ?? '';
    const { askedAt, results } = await askWhole(state, tenant, batch);
    batch.forEach(({ slot, chunk }, index) => {
      const answer = results[index];
      if (!answer) return;
      inspectHits(state, tenant, answer.hits, askedAt);
      if (answer.degraded)
        violate(state, 'degraded', `a search was answered ${answer.degraded.join()} with everything there`, slot);
      if (answer.hits.some(({ chunkId }) => chunkId === chunk.chunkId)) return;
      violate(
        state,
        'not_found',
        `chunk ${chunk.index} of ${slot.documentId} is not among the first ${topK} hits for its own text`,
        slot,
      );
    });
  });
  return chunks.length;
}

interface WantedChunk {
  readonly slot: Slot;
  readonly chunk: DocumentChunk;
}

/** Asks once more for as long as a side of the search may still be on its way back from the last fault. */
async function askWhole(state: RunState, tenant: string, batch: readonly WantedChunk[]) {
  const patientUntil = Math.max(...state.faults.map(({ healedAt = 0 }) => healedAt)) + recoversWithinMs;
  for (;;) {
    const askedAt = Date.now();
    const { results } = await state.clientOf(tenant).searchBatch(
      batch.map(({ slot, chunk }) => ({
        query: chunk.text.slice(0, longestQuery),
        namespace: slot.namespace,
        mode: 'dense' as const,
        topK,
        highlight: false,
      })),
    );
    if (!results.some(({ degraded }) => degraded) || Date.now() > patientUntil) return { askedAt, results };
    await pause(1000);
  }
}

/** What one tenant may read is not there for the other, unless it has a document of that id itself. */
export async function checkApart(state: RunState): Promise<void> {
  const unnamed = [...state.slots.values()].filter(({ named, versions }) => !named && versions.length > 0);
  await inBatches(unnamed.slice(0, 60), 6, async (slot) => {
    const stranger = state.clientOf(tenants.find((tenant) => tenant !== slot.tenant) ?? '');
    const [version] = slot.versions;
    const reads: (readonly [string, () => Promise<unknown>])[] = [
      ['job', () => stranger.job(version?.jobId ?? '')],
      ['document', () => stranger.document(slot.documentId ?? '')],
      ['text', () => stranger.text(slot.documentId ?? '')],
    ];
    for (const [what, read] of reads) {
      const status = await read().then(
        () => 200,
        (error: { status?: number }) => error.status,
      );
      if (status !== 404) violate(state, 'other_tenant', `another tenant's ${what} was answered with ${status}`, slot);
    }
  });
}
