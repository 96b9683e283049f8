import { z } from 'zod';
import { DocumentId, Metadata, Namespace, Timestamp, Version } from './ids.ts';
import { Manifest } from './manifest.ts';

/*
 * The JSON files of an exported namespace. In the archive's order: `export.json`; for each document a folder
 * `documents/NUMBER/` with the files of `archiveFiles`, the last of which has their checksums; `end.json`.
 */

export const ArchiveHeader = z
  .strictObject({
    format: z.literal('semantic-memory-namespace'),
    schemaVersion: z.literal(1),
    namespace: Namespace,
    embeddingModel: z.string().min(1).max(200).describe("All vectors are this model's."),
    exportedAt: Timestamp,
  })
  .describe('What an archive holds, as its first file says.');
export type ArchiveHeader = z.infer<typeof ArchiveHeader>;

export const ArchivedDocument = z
  .strictObject({
    schemaVersion: z.literal(1),
    documentId: DocumentId,
    version: Version.describe('Of the active version, which is the one that is exported.'),
    title: z.string().min(1).max(1000),
    metadata: Metadata,
    createdAt: Timestamp,
    original: z.strictObject({
      bytes: z.int().min(1),
      sha256: z.string().regex(/^[0-9a-f]{64}$/, 'is not a sha256'),
      mediaType: z.string().max(500).optional(),
      filename: z.string().max(500).optional(),
    }),
    chunks: z.int().min(1),
    dimension: z.int().min(1).max(65_536).describe('Numbers in a vector.'),
  })
  .describe('A document as it was known when it was exported, and what is to be found in its folder.');
export type ArchivedDocument = z.infer<typeof ArchivedDocument>;

/** The manifest without what belongs to the service and the request that it was written for. */
export const ArchivedManifest = Manifest.omit({
  tenant: true,
  callbackUrl: true,
  parentJobId: true,
  batchId: true,
  imported: true,
});

export const ArchiveEnd = z
  .strictObject({
    schemaVersion: z.literal(1),
    documents: z.int().min(0),
    sha256: z.string().describe('sha256 over the checksum files of all documents, in their order, hexadecimal.'),
  })
  .describe("The archive's last file: without it the archive is not whole.");
export type ArchiveEnd = z.infer<typeof ArchiveEnd>;
