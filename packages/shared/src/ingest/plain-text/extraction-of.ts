import type { Extraction } from '../../contracts/model/extraction.ts';
import type { Manifest } from '../../contracts/model/manifest.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import { readExtraction } from '../stored/artifacts.ts';
import type { VersionRef } from '../stored/blob-keys.ts';
import { plainExtraction } from './plain-extraction.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * The text of a version by page; undefined where it was not parsed yet, or was deleted. A version that was recognised as
 * plain text when it was accepted has no such artifact: what its parser would say is made from the original in less
 * time than another file takes.
 */
export async function extractionOf(
  blobs: BlobStore,
  ref: VersionRef,
  { original }: Manifest,
): Promise<Extraction | undefined> {
  if (!original?.isPlainText) return readExtraction(blobs, ref);
  const bytes = await blobs.get(original.key);
  return bytes && plainExtraction('text/plain', decoder.decode(bytes));
}
