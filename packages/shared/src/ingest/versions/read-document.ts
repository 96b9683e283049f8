import { MemoryError } from '../../contracts/errors.ts';
import type { DocumentChunk } from '../../contracts/model/document.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { Ledger } from '../../ports/ledger.ts';
import { assembleText } from '../chunk/assemble-text.ts';
import { readOcrPages } from '../ocr.ts';
import { extractionOf } from '../plain-text/extraction-of.ts';
import { readChunkSet, readManifest, readOriginal } from '../stored/artifacts.ts';
import type { VersionRef } from '../stored/blob-keys.ts';

export interface ReadDeps {
  readonly blobs: BlobStore;
  readonly ledger: Ledger;
}

/** The version asked for, else the active one, else the latest. @throws MemoryError `not_found` */
async function resolveVersion(
  deps: ReadDeps,
  tenant: string,
  documentId: string,
  version: number | undefined,
): Promise<VersionRef & { mediaType: string }> {
  const document = await deps.ledger.getDocument(tenant, documentId);
  if (!document) throw new MemoryError('not_found', `There is no document ${documentId}.`);
  const wanted = version ?? (document.activeVersion || document.latestVersion);
  const found = document.versions.find((candidate) => candidate.version === wanted);
  if (!found) throw new MemoryError('not_found', `Document ${documentId} has no version ${wanted}.`);
  return { tenant, documentId, version: wanted, mediaType: found.mediaType };
}

/**
 * The text that every span points into.
 * @throws MemoryError `not_found` also where the version was not parsed (yet)
 */
export async function readText(deps: ReadDeps, tenant: string, documentId: string, version?: number): Promise<string> {
  const ref = await resolveVersion(deps, tenant, documentId, version);
  const extraction = await extractionOf(deps.blobs, ref, await readManifest(deps.blobs, ref));
  if (!extraction) throw new MemoryError('not_found', `Version ${ref.version} of ${documentId} has no text yet.`);
  return assembleText(extraction, await readOcrPages(deps.blobs, ref, extraction)).text;
}

/**
 * A version's chunks in reading order. The cursor names the version and the next chunk's index: pages go on in the version
 * that they began with, also where another has become active. Empty where it has none yet.
 */
export async function readChunks(
  deps: ReadDeps,
  tenant: string,
  documentId: string,
  version: number | undefined,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<{ items: DocumentChunk[]; nextCursor?: string }> {
  const place = page.cursor === undefined ? undefined : placeOf(page.cursor, version);
  const ref = await resolveVersion(deps, tenant, documentId, place?.version ?? version);
  const from = place?.index ?? 0;
  const chunks = (await readChunkSet(deps.blobs, ref))?.chunks ?? [];
  const items = chunks.slice(from, from + page.limit).map((chunk): DocumentChunk => {
    const { embedText: _embedText, contentHash: _contentHash, before: _before, ...shown } = chunk;
    return shown;
  });
  const next = from + items.length;
  return { items, ...(next < chunks.length ? { nextCursor: `${ref.version}.${next}` } : {}) };
}

/** @param asked the version whose chunks are asked for, where one is named */
function placeOf(cursor: string, asked: number | undefined): { version: number; index: number } {
  const [, version, index] = /^(\d{1,10})\.(\d{1,10})$/.exec(cursor) ?? [];
  if (version === undefined || Number(version) !== (asked ?? Number(version)))
    throw new MemoryError('invalid_request', 'The cursor is not one of ours.');
  return { version: Number(version), index: Number(index) };
}

/** The original bytes of a version. @throws MemoryError `not_found` also where they were not fetched (yet) */
export async function openContent(
  deps: ReadDeps,
  tenant: string,
  documentId: string,
  version?: number,
): Promise<{ stream: AsyncIterable<Uint8Array>; bytes: number; mediaType: string; filename?: string }> {
  const ref = await resolveVersion(deps, tenant, documentId, version);
  const original = await readOriginal(deps.blobs, ref, await readManifest(deps.blobs, ref));
  const content = original && (await deps.blobs.getStream(original.key));
  if (!content) throw new MemoryError('not_found', `Version ${ref.version} of ${documentId} has no content yet.`);
  // An archive may have brought one that says nothing.
  const mediaType = ref.mediaType || original.mediaType || 'application/octet-stream';
  return { ...content, mediaType, ...(original.filename ? { filename: original.filename } : {}) };
}
