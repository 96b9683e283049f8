import { MemoryError } from '../../contracts/errors.ts';
import type { Extraction } from '../../contracts/model/extraction.ts';
import type { Manifest } from '../../contracts/model/manifest.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import { encodeJson } from '../stored/artifacts.ts';
import { extractionKey, type VersionRef } from '../stored/blob-keys.ts';
import { plainExtraction } from './plain-extraction.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Makes the artifact `extraction` of a version that was recognised as plain text when it was accepted, as its parser
 * would. Undefined of any other.
 * @throws MemoryError `empty_document`; `not_found` where the document was deleted
 */
export async function readPlainText(
  { blobs }: { readonly blobs: BlobStore },
  ref: VersionRef,
  { original }: Manifest,
): Promise<Extraction | undefined> {
  if (!original?.isPlainText) return undefined;
  const bytes = await blobs.get(original.key);
  if (!bytes) throw new MemoryError('not_found', `Document ${ref.documentId} has no version ${ref.version}.`);
  const extraction = plainExtraction('text/plain', decoder.decode(bytes));
  await blobs.put(extractionKey(ref), encodeJson(extraction));
  return extraction;
}
