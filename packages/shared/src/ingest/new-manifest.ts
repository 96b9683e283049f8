import type { Manifest } from '../contracts/model/manifest.ts';
import { mediaTypePattern } from '../contracts/model/source.ts';
import type { AcceptedFacts, VersionRecord } from '../ports/ledger.ts';
import type { AcceptRequest, StoredBytes } from './accept-request.ts';
import { newDocumentId } from './new-id.ts';
import { isCalledPlainText } from './plain-text/recognise.ts';
import { originalKey } from './stored/blob-keys.ts';

/** What is written of a request that is accepted, before anything else is done with it. */
export function manifestFor(
  request: Omit<AcceptRequest, 'original'> & { readonly original?: StoredBytes | undefined },
  jobId: string,
  version: number,
  embeddingModel: string,
  createdAt: string,
): Manifest {
  const ref = { tenant: request.tenant, documentId: request.documentId ?? newDocumentId(), version };
  const { declaredMediaType } = request;
  return {
    schemaVersion: 1,
    namespace: request.namespace,
    ...ref,
    jobId,
    source: request.source,
    ...(request.original ? { original: claimedOriginal(request, request.original, originalKey(ref)) } : {}),
    ...(request.title === undefined ? {} : { title: request.title }),
    metadata: request.metadata,
    ...(declaredMediaType && mediaTypePattern.test(declaredMediaType) ? { declaredMediaType } : {}),
    priority: request.priority,
    options: request.options,
    ...(request.callbackUrl ? { callbackUrl: request.callbackUrl } : {}),
    ...(request.parentJobId ? { parentJobId: request.parentJobId } : {}),
    ...(request.batchId ? { batchId: request.batchId } : {}),
    embeddingModel,
    ...(request.imported ? { imported: { documentCreatedAt: request.imported.documentCreatedAt } } : {}),
    createdAt,
  };
}

function claimedOriginal(
  { source, declaredMediaType }: Omit<AcceptRequest, 'original'>,
  { bytes, sha256, isPlainText }: StoredBytes,
  key: string,
): NonNullable<Manifest['original']> {
  const filename = source.type === 'upload' ? source.filename : undefined;
  const isPlain = isPlainText === true && isCalledPlainText(declaredMediaType, filename);
  return { key, bytes, sha256, ...(isPlain ? { isPlainText: true } : {}) };
}

/** A version as the ledger first knows it. */
export function versionRecord(manifest: Manifest): VersionRecord {
  return {
    version: manifest.version,
    state: 'pending',
    jobId: manifest.jobId,
    sha256: manifest.original?.sha256 ?? '',
    bytes: manifest.original?.bytes ?? 0,
    chunks: 0,
    mediaType: manifest.declaredMediaType ?? 'application/octet-stream',
    createdAt: manifest.createdAt,
  };
}

/** Title and metadata as accepted; a parser may find a better title. */
export function documentFacts(manifest: Manifest): AcceptedFacts {
  const { title = nameOf(manifest), metadata, imported } = manifest;
  return { title, metadata, ...(imported ? { createdAt: imported.documentCreatedAt } : {}) };
}

/**
 * What to call a document that brought no title: its file name, the end of its key, the end of its address's path or else
 * its host, or its id. Never the address as a whole: it may hold a password or a key, and a title is shown, searched and
 * given to models.
 */
export function nameOf(manifest: Manifest): string {
  const { source } = manifest;
  if (source.type === 'upload') return source.filename ?? manifest.documentId;
  if (source.type === 's3') return lastPart(source.key ?? '') ?? manifest.documentId;
  if (source.type !== 'url') return manifest.documentId;
  const { pathname, host } = new URL(source.url);
  return decodeURIComponentSafely(lastPart(pathname) ?? host);
}

const lastPart = (path: string): string | undefined => path.split('/').findLast((part) => part !== '');

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
