import { z } from 'zod';
import { DeliveryId } from '../../contracts/model/ids.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import { encodeJson, readJson } from './artifacts.ts';
import { runKey, type VersionRef } from './blob-keys.ts';

/** That a version was begun anew, durably. */
const RunRecord = z.object({
  schemaVersion: z.literal(1),
  run: z.int().min(1),
  /** Of the webhook that the end of this run owes. */
  deliveryId: DeliveryId.optional(),
});
export type RunRecord = z.infer<typeof RunRecord>;

/** Undefined where the version was never retried. */
export const readRun = (blobs: BlobStore, ref: VersionRef) => readJson(blobs, runKey(ref), RunRecord);

export const writeRun = (blobs: BlobStore, ref: VersionRef, record: Omit<RunRecord, 'schemaVersion'>) =>
  blobs.put(runKey(ref), encodeJson({ schemaVersion: 1, ...record }));
