import { MemoryError } from '../contracts/errors.ts';
import type { Fetched } from '../ports/fetcher.ts';
import { assertAllowed } from './allowed-bucket.ts';
import type { StepDeps } from './deps.ts';
import { takeForStep } from './jobs/step-quota.ts';

/** One document that is elsewhere: behind an address, or an object of a bucket. */
export type Place = { readonly url: string } | { readonly bucket: string; readonly key: string };

/**
 * Begins to fetch one document. What an operator allows is asked now: since the request was accepted it may have changed.
 * @throws MemoryError as `WebFetcher` and `ObjectFetcher`; `rate_limited` with `retry` `wait`
 */
export async function openPlace(
  deps: StepDeps,
  tenant: string,
  place: Place,
  signal: AbortSignal,
): Promise<Omit<Fetched, 'body'> & { readonly store: StoreBody }> {
  if (!('url' in place)) assertAllowed(deps.allowedBuckets, tenant, place);
  await takeForStep(deps, tenant, { bytes: 0 });
  const { maxBytes, fetchMs } = deps.limits;
  const limits = { maxBytes, timeoutMs: fetchMs };
  const { body, mediaType, filename } = await ('url' in place
    ? deps.web.fetch(place.url, limits, signal)
    : deps.objects.fetch(place, limits, signal));
  return {
    ...(mediaType ? { mediaType } : {}),
    ...(filename ? { filename } : {}),
    store: (write) =>
      write(body, maxBytes).catch((error: unknown) => {
        if (!(error instanceof MemoryError) || error.code !== 'request_too_large') throw error;
        const what = 'url' in place ? 'document at the address' : 'object';
        throw new MemoryError('too_large', `The ${what} is larger than ${maxBytes} bytes.`, { cause: error });
      }),
  };
}

/** Has the bytes written to a store. @throws MemoryError `too_large`, with nothing kept */
type StoreBody = <Stored>(
  write: (body: AsyncIterable<Uint8Array>, maxBytes: number) => Promise<Stored>,
) => Promise<Stored>;
