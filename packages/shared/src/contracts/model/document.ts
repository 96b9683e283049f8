import { z } from 'zod';
import { DocumentId, JobId, Metadata, Namespace, Span, Timestamp, Version } from './ids.ts';

export const DocumentState = z
  .enum(['pending', 'active', 'failed'])
  .describe('`pending`: no version is active yet. `failed`: none is, and the latest has failed.');
export type DocumentState = z.infer<typeof DocumentState>;

export const Document = z
  .object({
    id: DocumentId,
    namespace: Namespace,
    title: z.string(),
    mediaType: z.string(),
    bytes: z.int(),
    sha256: z.string(),
    version: Version.describe('The active version, or the latest where none is active.'),
    state: DocumentState,
    pages: z.int().optional(),
    chunks: z.int(),
    metadata: Metadata,
    createdAt: Timestamp,
    updatedAt: Timestamp,
    jobId: JobId,
    links: z.record(z.string(), z.string()),
  })
  .meta({ id: 'Document' });
export type Document = z.infer<typeof Document>;

export const VersionState = z
  .enum([...DocumentState.options, 'superseded'])
  .describe('`superseded`: it was active until a newer one was.');
export type VersionState = z.infer<typeof VersionState>;

export const DocumentVersion = z
  .object({
    version: Version,
    state: VersionState,
    active: z.boolean(),
    jobId: JobId,
    sha256: z.string(),
    bytes: z.int(),
    chunks: z.int(),
    createdAt: Timestamp,
  })
  .meta({ id: 'DocumentVersion' });
export type DocumentVersion = z.infer<typeof DocumentVersion>;

export const DocumentChunk = z
  .object({
    chunkId: z.string(),
    index: z.int(),
    text: z.string(),
    page: z.int().optional(),
    headings: z.array(z.string()),
    span: Span,
    tokens: z.int(),
  })
  .meta({ id: 'Chunk', description: 'A piece of a document as the API shows it.' });
export type DocumentChunk = z.infer<typeof DocumentChunk>;

export const DeleteReceipt = z
  .object({
    documentId: DocumentId,
    removed: z.object({ chunks: z.int(), postings: z.int(), cacheEntries: z.int(), blobs: z.int() }),
    verifiedAbsent: z.literal(true),
    deletedAt: Timestamp,
  })
  .meta({
    id: 'DeleteReceipt',
    description: 'What a delete removed, counted and then looked for again in every store.',
  });
export type DeleteReceipt = z.infer<typeof DeleteReceipt>;
