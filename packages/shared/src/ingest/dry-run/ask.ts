import { MemoryError } from '../../contracts/errors.ts';
import type { DryRun } from '../../contracts/model/dry-run.ts';
import type { StoredSource } from '../../contracts/model/source.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobQueue } from '../../ports/job-queue.ts';
import type { ReplyBox } from '../../ports/reply-box.ts';
import type { AcceptRequest } from '../accept-request.ts';
import { newUploadId } from '../new-id.ts';
import { type Asked, forgetAsked, putAsked } from './asked.ts';
import { readReply } from './reply.ts';

/** A caller waits with an open request; what stands between often gives up after a minute. */
const withinMs = 55_000;

export interface AskDeps {
  readonly blobs: BlobStore;
  readonly queue: JobQueue;
  readonly clock: Clock;
  readonly replies: Pick<ReplyBox, 'receive'>;
}

/**
 * Has a worker read the document of a request, and answers what ingesting it would come to. Nothing of it is kept.
 * @throws MemoryError what its job would end with; `unprocessable` for a source of many documents;
 * `dependency_unavailable` where no worker has answered in time
 */
export async function askDry(
  { blobs, queue, clock, replies }: AskDeps,
  request: Pick<AcceptRequest, 'tenant' | 'title' | 'declaredMediaType' | 'source' | 'original'>,
  signal: AbortSignal,
): Promise<DryRun> {
  const { tenant, title, declaredMediaType, source, original } = request;
  const what = placeOf(source);
  const run = { tenant, runId: newUploadId() };
  const payload = { ...run, schemaVersion: 1 as const, until: new Date(clock.now() + withinMs).toISOString() };
  try {
    await putAsked(blobs, run, {
      schemaVersion: 1,
      title,
      mediaType: declaredMediaType,
      original: original?.key,
      ...what,
    });
    const name = source.type === 'upload' ? 'dryRun' : 'dryRunFetch';
    await queue.add([{ name, priority: 'high', payload }]);
    const waiting = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
    const reply = await replies.receive(tenant, run.runId, waiting);
    if (reply !== undefined) return readReply(reply);
    throw new MemoryError('dependency_unavailable', `No worker has read the document within ${withinMs / 1000} s.`, {
      hint: 'It may be long, or the workers have much to do. Ask again later, or ingest it.',
    });
  } finally {
    await forgetAsked(blobs, run, original?.key);
  }
}

/** Where the document of a dry run is still to be fetched from, or what it is called. */
function placeOf(source: StoredSource): Pick<Asked, 'url' | 'place' | 'filename'> {
  if (source.type === 'upload') return { filename: source.filename };
  if (source.type === 'url') return { url: source.url };
  if (source.type === 's3' && source.key !== undefined) return { place: { bucket: source.bucket, key: source.key } };
  throw new MemoryError('unprocessable', 'A dry run is of one document: a file, a text, an address or an object.', {
    hint: 'Leave dryRun out, or try one of the documents.',
  });
}
