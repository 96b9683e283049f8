import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { Document, DocumentVersion } from '@semantic-memory/shared/contracts/model/document';
import { documentPath, jobPath } from '@semantic-memory/shared/ingest/jobs/job-view';
import { documentState } from '@semantic-memory/shared/ports/document-transitions';
import type { DocumentRecord } from '@semantic-memory/shared/ports/ledger';

/** A document as its tenant sees it: of its active version, else of the latest. */
export function documentView(record: DocumentRecord): Document {
  const shown = record.versions.find((version) => version.version === record.activeVersion) ?? record.versions[0];
  if (!shown) throw new MemoryError('internal', `Document ${record.documentId} has no version.`);
  const self = documentPath(record.documentId);
  return {
    id: record.documentId,
    namespace: record.namespace,
    title: record.title,
    mediaType: shown.mediaType,
    bytes: shown.bytes,
    sha256: shown.sha256,
    version: shown.version,
    state: documentState(record),
    ...(shown.pages === undefined ? {} : { pages: shown.pages }),
    chunks: shown.chunks,
    metadata: record.metadata,
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
    jobId: shown.jobId,
    links: {
      self,
      chunks: `${self}/chunks`,
      text: `${self}/text`,
      content: `${self}/content`,
      versions: `${self}/versions`,
      job: jobPath(shown.jobId),
    },
  };
}

/** The versions of a document, newest first. */
export function versionViews(record: DocumentRecord): DocumentVersion[] {
  return record.versions.map(({ version, state, jobId, sha256, bytes, chunks, createdAt }) => ({
    version,
    state: state === 'active' && version !== record.activeVersion ? 'superseded' : state,
    active: version === record.activeVersion,
    jobId,
    sha256,
    bytes,
    chunks,
    createdAt,
  }));
}
