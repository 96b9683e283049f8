import { z } from 'zod';
import type { BlobStore } from '../../ports/blob-store.ts';
import { encodeJson, readJson } from '../stored/artifacts.ts';
import { modelKey } from '../stored/blob-keys.ts';

/** What is known of an embedding model of an endpoint. */
const ModelRecord = z.object({ schemaVersion: z.literal(1), model: z.string(), dimension: z.int().min(1) });

/**
 * The dimension of each model of an endpoint, as the first process that used it found it. An endpoint that one day gives
 * other vectors under the same name would spoil what is indexed, and a process that has only just started could not know.
 */
export function createModelDimensions(blobs: BlobStore) {
  const known = async (model: string) => (await readJson(blobs, modelKey(model), ModelRecord))?.dimension;
  return {
    known,
    async agree(model: string, dimension: number): Promise<number> {
      await blobs.putIfAbsent(modelKey(model), encodeJson({ schemaVersion: 1, model, dimension }));
      return (await known(model))!;
    },
  };
}
