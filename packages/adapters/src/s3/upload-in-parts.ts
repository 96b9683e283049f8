import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Bucket, S3Timing } from './bucket.ts';

/** S3 takes 10,000 parts of at least 5 MiB: 80 GB so, more than one object may be copied with. */
export const partBytes = 8 * 1024 * 1024;

/** Longer than any upload may take: what was begun before belongs to a process that was killed. */
const leftoverAfterMs = 24 * 60 * 60 * 1000;

/**
 * Writes a large object part by part, holding one part in memory. Nobody sees it before all of it is there; where the
 * stream breaks off nothing of it stays.
 */
export async function uploadInParts(
  bucket: Bucket,
  key: string,
  pieces: AsyncIterable<Uint8Array>,
  timing: S3Timing,
): Promise<void> {
  const target = { Bucket: bucket.name, Key: bucket.keyOf(key) };
  const { UploadId } = await bucket.call(timing.callMs, (client, abortSignal) =>
    client.send(new CreateMultipartUploadCommand(target), { abortSignal }),
  );
  const upload = { ...target, UploadId };
  try {
    const parts: CompletedPart[] = [];
    for await (const Body of inParts(pieces)) {
      const PartNumber = parts.length + 1;
      const { ETag } = await bucket.call(timing.transferMs, (client, abortSignal) =>
        client.send(new UploadPartCommand({ ...upload, PartNumber, Body }), { abortSignal }),
      );
      parts.push({ ETag, PartNumber });
    }
    await bucket.call(timing.transferMs, (client, abortSignal) =>
      client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } }), {
        abortSignal,
      }),
    );
  } catch (error) {
    await abandon(bucket, upload, timing).catch(() => {
      // The server is away, most likely: what stays is found by `abandonLeftovers`, and the first error says more.
    });
    throw error;
  }
}

/** All but the last have exactly the size of a part, as some servers demand. */
async function* inParts(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    held.push(piece);
    size += piece.byteLength;
    while (size >= partBytes) {
      const all = Buffer.concat(held);
      yield all.subarray(0, partBytes);
      held = [all.subarray(partBytes)];
      size -= partBytes;
    }
  }
  if (size > 0) yield Buffer.concat(held);
}

function abandon(
  bucket: Bucket,
  upload: { Bucket: string; Key: string; UploadId: string | undefined },
  timing: S3Timing,
) {
  return bucket.call(timing.callMs, (client, abortSignal) =>
    client.send(new AbortMultipartUploadCommand(upload), { abortSignal }),
  );
}

/** Abandons uploads that killed processes have left: no list shows them, but they are paid for. */
export async function abandonLeftovers(bucket: Bucket, timing: S3Timing, now: number): Promise<void> {
  let more: { KeyMarker: string | undefined; UploadIdMarker: string | undefined } | undefined;
  do {
    const page = await bucket.call(timing.callMs, (client, abortSignal) =>
      client.send(new ListMultipartUploadsCommand({ Bucket: bucket.name, Prefix: bucket.keyOf(''), ...more }), {
        abortSignal,
      }),
    );
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (!Key || !Initiated || Initiated.getTime() > now - leftoverAfterMs) continue;
      await abandon(bucket, { Bucket: bucket.name, Key, UploadId }, timing);
    }
    more = page.IsTruncated ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined;
  } while (more);
}
