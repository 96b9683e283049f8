import type { ChunkSet } from '../../contracts/model/chunk.ts';
import type { StepDeps } from '../deps.ts';
import { readVectors, vectorBatchSize } from '../stored/artifacts.ts';
import type { VersionRef } from '../stored/blob-keys.ts';
import { type EmbeddedChunks, readEmbedded } from '../stored/embedded-chunks.ts';

/** How many earlier versions are looked through besides the active one. */
const maxVersions = 2;

/**
 * What was cut of a document before, the likest first: by an earlier run of this version, then of the versions before
 * it, the newest first, whatever has become of them. Besides them the active one, which may be far older. Only what the
 * model has embedded.
 */
export async function formerChunks(
  deps: Pick<StepDeps, 'blobs' | 'ledger'>,
  ref: VersionRef & { readonly run: number },
  { model, dimension }: { readonly model: string; readonly dimension: number },
): Promise<EmbeddedChunks[]> {
  const found: EmbeddedChunks[] = [];
  const lookInto = async ({ tenant, documentId, version }: VersionRef) => {
    const embedded = await readEmbedded(deps.blobs, { tenant, documentId, version }, model);
    if (embedded?.set.dimension === dimension) found.push(embedded);
  };
  if (ref.run > 0) await lookInto(ref);
  if (ref.version === 1) return found;
  const document = await deps.ledger.getDocument(ref.tenant, ref.documentId);
  const before = document?.versions.filter(({ version }) => version < ref.version) ?? [];
  const { tenant, documentId } = ref;
  for (const [index, { version }] of before.entries()) {
    if (index < maxVersions || version === document?.activeVersion) await lookInto({ tenant, documentId, version });
  }
  return found;
}

/**
 * Vectors that are there already for chunks of `wanted`, by the hash of what was embedded: what has not changed is not
 * paid for again.
 */
export async function knownVectors(
  deps: Pick<StepDeps, 'blobs'>,
  former: readonly EmbeddedChunks[],
  wanted: ChunkSet,
): Promise<Map<string, Float32Array>> {
  const missing = new Set(wanted.chunks.map((chunk) => chunk.contentHash));
  const known = new Map<string, Float32Array>();
  for (const { ref, set } of former) {
    for (let from = 0; from < set.chunks.length; from += vectorBatchSize) {
      const batch = set.chunks.slice(from, from + vectorBatchSize);
      if (!batch.some((chunk) => missing.has(chunk.contentHash))) continue;
      const vectors = await readVectors(deps.blobs, ref, from, { count: batch.length, dimension: set.dimension });
      vectors?.forEach((vector, index) => {
        const hash = batch[index]?.contentHash;
        if (hash !== undefined && missing.delete(hash)) known.set(hash, vector);
      });
    }
  }
  return known;
}
