import { manifestKey, type VersionRef } from '../ingest/stored/blob-keys.ts';
import { writeTombstone } from '../ingest/stored/tombstone.ts';
import type { InMemoryFlow } from './in-memory-flow.ts';
import { onNext } from './on-next.ts';

/** Another process, for which a version was there a moment longer, deletes it right after its manifest is written. */
export function deletedWhileAccepted({ blobs, deps }: InMemoryFlow, gone: VersionRef): void {
  onNext(
    blobs,
    'putIfAbsent',
    async (call) => {
      const isMine = await call();
      const at = new Date(deps.clock.now()).toISOString();
      const { tenant, documentId, version } = gone;
      await writeTombstone(blobs, { tenant, documentId, upToVersion: version, at, jobs: [] });
      await blobs.remove(manifestKey(gone));
      return isMine;
    },
    (key) => key === manifestKey(gone),
  );
}
