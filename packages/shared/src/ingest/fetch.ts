import { MemoryError } from '../contracts/errors.ts';
import type { StepDeps } from './deps.ts';
import { fetchObjects } from './fetch-objects.ts';
import { openPlace, type Place } from './fetch-one.ts';
import { fetchRepository } from './fetch-repository.ts';
import { newUploadId } from './new-id.ts';
import type { Step, StepContext, StepResult } from './step.ts';
import { encodeJson, readFetched, type StoredOriginal } from './stored/artifacts.ts';
import { fetchedKey, fetchedOriginalKey } from './stored/blob-keys.ts';

/** Gets the bytes of a source that did not come with the request. The only step with a way out to the internet. */
export const fetchStep: Step = async (deps, context) => {
  const { source } = context.manifest;
  if (source.type === 'url') return fetchOne(deps, context, source);
  if (source.type === 'git') return fetchRepository(deps, context, source);
  if (source.type === 's3') {
    const { bucket, key, prefix = '' } = source;
    return key === undefined
      ? fetchObjects(deps, context, { bucket, prefix })
      : fetchOne(deps, context, { bucket, key });
  }
  // What came with its request has nothing to fetch; an archive and a namespace have steps of their own.
  return {};
};

async function fetchOne(deps: StepDeps, context: StepContext, place: Place): Promise<StepResult> {
  const { payload } = context;
  const original = (await readFetched(deps.blobs, payload)) ?? (await download(deps, context, place));
  const { bytes, sha256 } = original;
  await deps.ledger.describeVersion(payload, payload.documentId, payload.version, { bytes, sha256 });
  await context.progress(bytes, bytes);
  return {};
}

/**
 * What was fetched first is what the version is made of, whatever the source says when it is asked again: each fetch
 * writes to a place of its own, and one is named.
 */
async function download(deps: StepDeps, { payload, signal }: StepContext, place: Place): Promise<StoredOriginal> {
  const { store, ...facts } = await openPlace(deps, payload.tenant, place, signal);
  const key = fetchedOriginalKey(payload, newUploadId());
  const stored = await store((body, maxBytes) => deps.blobs.putStream(key, body, { maxBytes }));
  const mine: StoredOriginal = { key, ...stored, ...facts };
  if (await deps.blobs.putIfAbsent(fetchedKey(payload), encodeJson(mine))) {
    await deps.quotas?.count(payload.tenant, { bytes: stored.bytes });
    return mine;
  }
  await deps.blobs.remove(key);
  const standing = await readFetched(deps.blobs, payload);
  if (!standing) throw new MemoryError('not_found', `Document ${payload.documentId} was deleted.`);
  return standing;
}
