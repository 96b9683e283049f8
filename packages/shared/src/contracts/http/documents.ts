import { z } from 'zod';
import { DeleteReceipt, Document, DocumentChunk, DocumentState, DocumentVersion } from '../model/document.ts';
import { Metadata, Namespace } from '../model/ids.ts';
import { defineEndpoint } from './endpoint.ts';
import { listQuery, pageQuery, versionQuery } from './paging.ts';

// Any text may be asked for: what is no document's id is not found, rather than malformed.
const params = z.strictObject({ documentId: z.string().max(1000) });
const read = { method: 'get', scopes: ['memory:read'], tag: 'documents', errors: ['not_found'] } as const;

export const DocumentList = z
  .object({ items: z.array(Document), nextCursor: z.string().optional() })
  .meta({ id: 'DocumentList' });
export const ChunkList = z
  .object({ items: z.array(DocumentChunk), nextCursor: z.string().optional() })
  .meta({ id: 'ChunkList' });
export const VersionList = z.object({ items: z.array(DocumentVersion) }).meta({ id: 'VersionList' });

export const DocumentPatch = z
  .strictObject({ title: z.string().trim().min(1).max(1000).optional(), metadata: Metadata.optional() })
  .refine((patch) => patch.title !== undefined || patch.metadata !== undefined, 'changes nothing')
  .meta({ id: 'DocumentPatch', override: { minProperties: 1 } });

export const listDocuments = defineEndpoint({
  id: 'listDocuments',
  ...read,
  path: '/documents',
  summary: 'Documents, newest first',
  query: z.strictObject({ namespace: Namespace.optional(), state: DocumentState.optional(), ...listQuery }),
  responses: { 200: { description: 'A page of documents.', schema: DocumentList } },
  errors: [],
});

export const getDocument = defineEndpoint({
  id: 'getDocument',
  ...read,
  path: '/documents/{documentId}',
  summary: 'A document',
  params,
  responses: { 200: { description: 'The document.', schema: Document } },
});

export const getDocumentChunks = defineEndpoint({
  id: 'getDocumentChunks',
  ...read,
  path: '/documents/{documentId}/chunks',
  summary: 'The pieces that are found, in reading order',
  params,
  query: z.strictObject({ ...versionQuery, ...pageQuery }),
  responses: { 200: { description: 'A page of chunks.', schema: ChunkList } },
});

export const getDocumentText = defineEndpoint({
  id: 'getDocumentText',
  ...read,
  path: '/documents/{documentId}/text',
  summary: 'The extracted text, which every span points into',
  params,
  query: z.strictObject(versionQuery),
  responses: { 200: { description: 'Markdown.', mediaType: 'text/markdown; charset=utf-8' } },
});

export const getDocumentContent = defineEndpoint({
  id: 'getDocumentContent',
  ...read,
  path: '/documents/{documentId}/content',
  summary: 'The original bytes',
  params,
  query: z.strictObject(versionQuery),
  responses: { 200: { description: 'The bytes, under the media type that was detected.', mediaType: '*/*' } },
});

export const getDocumentVersions = defineEndpoint({
  id: 'getDocumentVersions',
  ...read,
  path: '/documents/{documentId}/versions',
  summary: 'The versions, newest first',
  params,
  responses: { 200: { description: 'All versions.', schema: VersionList } },
});

export const patchDocument = defineEndpoint({
  id: 'patchDocument',
  method: 'patch',
  path: '/documents/{documentId}',
  scopes: ['memory:write'],
  tag: 'documents',
  summary: 'Change title or metadata',
  description: 'Searchable at once; nothing is embedded again. Metadata is replaced as a whole.',
  params,
  body: DocumentPatch,
  responses: { 200: { description: 'The document.', schema: Document } },
  errors: ['not_found', 'request_too_large', 'unsupported_media_type'],
  examples: [{ summary: 'New metadata', request: { metadata: { team: 'tides', year: 2026 } } }],
});

export const deleteDocument = defineEndpoint({
  id: 'deleteDocument',
  method: 'delete',
  path: '/documents/{documentId}',
  scopes: ['memory:write'],
  tag: 'documents',
  summary: 'Forget a document everywhere',
  description: 'Counts what goes, then looks again in every store before it answers. An ingest under way is cancelled.',
  params,
  responses: { 200: { description: 'The receipt.', schema: DeleteReceipt } },
  errors: ['not_found'],
});
