import type { ObjectFetcher } from '@semantic-memory/shared/ports/fetcher';
import type { S3ServerSettings, S3Timing } from './bucket.ts';
import type { openObjects } from './read-objects.ts';

export interface S3ObjectFetcher extends ObjectFetcher {
  /** Closes its connections. */
  close(): Promise<void>;
}

/**
 * Reads objects of the buckets of one S3 server. Naming it opens no connection, and the SDK is loaded with the first
 * object.
 */
export function createS3ObjectFetcher(
  settings: S3ServerSettings,
  { timing = {} }: { readonly timing?: Partial<S3Timing> } = {},
): S3ObjectFetcher {
  let opening: Promise<ReturnType<typeof openObjects>> | undefined;
  const open = () => {
    opening ??= Promise.all([import('./read-objects.ts'), import('./bucket.ts')]).then(
      ([{ openObjects }, { s3Timing }]) => openObjects(settings, { ...s3Timing, ...timing }),
    );
    return opening;
  };
  return {
    async *list(place, signal) {
      yield* (await open()).list(place, signal);
    },
    fetch: async (place, limits, signal) => (await open()).fetch(place, limits, signal),
    close: async () => (await opening)?.close(),
  };
}
