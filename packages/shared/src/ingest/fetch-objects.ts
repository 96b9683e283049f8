import { z } from 'zod';
import { MemoryError } from '../contracts/errors.ts';
import type { JobWarning } from '../contracts/model/job.ts';
import { isPlainKey } from '../contracts/model/object-key.ts';
import type { ListedObject } from '../ports/fetcher.ts';
import { acceptChild, findChild, joinParent } from './accept-child.ts';
import { assertAllowed } from './allowed-bucket.ts';
import type { StepDeps } from './deps.ts';
import { listSkipped } from './jobs/listed-warnings.ts';
import { takeForStep } from './jobs/step-quota.ts';
import { childDocumentId } from './new-id.ts';
import { othersGoFirst, type StepContext, type StepResult } from './step.ts';
import { encodeJson, readJson } from './stored/artifacts.ts';
import { listingKey } from './stored/blob-keys.ts';

interface Prefix {
  readonly bucket: string;
  readonly prefix: string;
}

/** The objects that a job brings. */
const Listing = z.object({
  schemaVersion: z.literal(1),
  objects: z.array(z.object({ key: z.string(), bytes: z.number() })),
});
type Listing = z.infer<typeof Listing>;

/** So long a slice lasts before others get their turn. */
const sliceMs = 5_000;

/** Accepts each object below a prefix as a document of its own, which fetches its bytes by a step of its own. */
export async function fetchObjects(deps: StepDeps, context: StepContext, place: Prefix): Promise<StepResult> {
  const sliceEndsAt = deps.clock.now() + sliceMs;
  const { objects } = await listOnce(deps, context, place);
  if (objects.length === 0) {
    throw new MemoryError('empty_document', 'The bucket has no object whose key begins so.', {
      hint: 'Check bucket and prefix.',
    });
  }
  const warnings: JobWarning[] = [];
  for (const [index, object] of objects.entries()) {
    const warning =
      whyNot(object, deps.limits.maxBytes) ?? (await acceptObject(deps, context, place.bucket, object.key));
    if (warning) warnings.push(warning);
    await context.progress(index + 1, objects.length);
    const othersWait = await context.checkpoint();
    if (othersWait && deps.clock.now() > sliceEndsAt) throw othersGoFirst();
  }
  return { facts: { manyDocuments: true }, warnings: listSkipped(warnings) };
}

/** Why an object becomes no document, as far as its listing tells. */
function whyNot({ key, bytes }: ListedObject, maxBytes: number): JobWarning | undefined {
  if (bytes === 0) return { code: 'skipped_empty', message: `${key} is empty.` };
  if (bytes > maxBytes) return { code: 'skipped_too_large', message: `${key} has ${bytes} bytes.` };
  if (!isPlainKey(key)) return { code: 'skipped_key', message: `${key} has a part "." or "..".` };
  return undefined;
}

/** The objects that the job found when it first looked: the same each time that it goes on. */
async function listOnce(deps: StepDeps, { payload, signal }: StepContext, place: Prefix): Promise<Listing> {
  assertAllowed(deps.allowedBuckets, payload.tenant, place);
  const known = await readJson(deps.blobs, listingKey(payload), Listing);
  if (known) return known;
  await takeForStep(deps, payload.tenant, { bytes: 0 });
  const mine: Listing = { schemaVersion: 1, objects: await listAll(deps, place, signal) };
  if (await deps.blobs.putIfAbsent(listingKey(payload), encodeJson(mine))) return mine;
  const standing = await readJson(deps.blobs, listingKey(payload), Listing);
  if (!standing) throw new MemoryError('not_found', `Job ${payload.jobId} is gone.`);
  return standing;
}

/**
 * All objects below a prefix but the empty ones that stand for folders. Nothing is fetched before their number and size
 * are known, and no page is asked for beyond the limits.
 * @throws MemoryError `limits_exceeded`, `too_large`
 */
async function listAll({ objects, limits }: StepDeps, place: Prefix, signal: AbortSignal): Promise<ListedObject[]> {
  const { maxBytes, maxObjects, maxObjectsBytes } = limits;
  const hint = 'Ask for a longer prefix, or have an operator raise SOURCE_S3_MAX_OBJECTS or SOURCE_S3_MAX_BYTES.';
  const found: ListedObject[] = [];
  let seen = 0;
  let bytes = 0;
  for await (const page of objects.list(place, signal)) {
    signal.throwIfAborted();
    seen += page.length;
    for (const object of page) {
      if (!object.key.startsWith(place.prefix) || (object.bytes === 0 && object.key.endsWith('/'))) continue;
      found.push({ key: object.key, bytes: object.bytes });
      if (object.bytes <= maxBytes) bytes += object.bytes;
    }
    if (seen > maxObjects) {
      throw new MemoryError('limits_exceeded', `There are more than ${maxObjects} objects whose keys begin so.`, {
        hint,
        details: { maxObjects },
      });
    }
    if (bytes > maxObjectsBytes) {
      throw new MemoryError('too_large', `The objects have more than ${maxObjectsBytes} bytes together.`, {
        hint,
        details: { maxBytes: maxObjectsBytes },
      });
    }
  }
  return found;
}

/** Accepts one object as a document of its own, once, however often and by how many workers that is done. */
async function acceptObject(
  deps: StepDeps,
  { payload, manifest }: StepContext,
  bucket: string,
  key: string,
): Promise<JobWarning | undefined> {
  const child = await findChild(deps, payload, key, childDocumentId(payload.documentId, key));
  if (!child.job) {
    try {
      const job = await acceptChild(deps, payload, child, {
        title: key,
        metadata: { ...manifest.metadata, bucket, path: key },
        priority: manifest.priority,
        options: manifest.options,
        source: { type: 's3', bucket, key },
      });
      if (!job) return undefined;
    } catch (error) {
      // Such as a document of that id in another namespace: the others can be accepted all the same.
      if (!(error instanceof MemoryError) || error.code !== 'conflict') throw error;
      return { code: error.code, message: `${child.documentId}: ${error.message}` };
    }
  }
  await joinParent(deps, payload, child);
  return undefined;
}
