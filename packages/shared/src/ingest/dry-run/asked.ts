import { z } from 'zod';
import type { BlobStore } from '../../ports/blob-store.ts';
import { encodeJson, readJson } from '../stored/artifacts.ts';
import { uploadKey } from '../stored/blob-keys.ts';

/** What is asked of a dry run. It lies among the uploads: the queue holds no names and addresses. */
const Asked = z.object({
  schemaVersion: z.literal(1),
  title: z.string().optional(),
  /** As the sender says. */
  mediaType: z.string().optional(),
  filename: z.string().optional(),
  /** Where the bytes are still to be fetched from. */
  url: z.string().optional(),
  place: z.object({ bucket: z.string(), key: z.string() }).optional(),
  /** Key of the bytes, once they are there. */
  original: z.string().optional(),
});
export type Asked = z.infer<typeof Asked>;

interface Run {
  readonly tenant: string;
  readonly runId: string;
}

export const putAsked = (blobs: BlobStore, { tenant, runId }: Run, asked: Asked): Promise<void> =>
  blobs.put(uploadKey(tenant, runId), encodeJson(asked));

/** Undefined where it was removed: whoever asked does not wait any more. */
export const readAsked = (blobs: BlobStore, { tenant, runId }: Run): Promise<Asked | undefined> =>
  readJson(blobs, uploadKey(tenant, runId), Asked);

/**
 * Removes what was asked, and the bytes; harmless where they are gone. What a process leaves that dies before, goes with
 * the uploads that nobody has claimed.
 */
export async function forgetAsked(blobs: BlobStore, { tenant, runId }: Run, original?: string): Promise<void> {
  const key = original ?? (await readAsked(blobs, { tenant, runId }))?.original;
  await Promise.all([...(key ? [blobs.remove(key)] : []), blobs.remove(uploadKey(tenant, runId))]);
}
