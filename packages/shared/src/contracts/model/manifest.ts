import { z } from 'zod';
import { BatchId, DocumentId, JobId, Metadata, Namespace, Priority, Tenant, Timestamp, Version } from './ids.ts';
import { StoredSource } from './source.ts';

/** What was accepted: the durable record from which everything else can be rebuilt. Immutable once written. */
export const Manifest = z.object({
  schemaVersion: z.literal(1),
  tenant: Tenant,
  namespace: Namespace,
  documentId: DocumentId,
  version: Version,
  jobId: JobId,
  source: StoredSource,
  /** Set for sources whose bytes came with the request. */
  original: z
    .object({
      key: z.string(),
      bytes: z.int(),
      sha256: z.string(),
      /** Recognised when it was accepted: it needs no parser. */
      isPlainText: z.literal(true).optional(),
    })
    .optional(),
  title: z.string().optional(),
  metadata: Metadata,
  /** What the caller said the bytes are; content decides. */
  declaredMediaType: z.string().optional(),
  priority: Priority,
  options: z.record(z.string(), z.unknown()),
  callbackUrl: z.string().optional(),
  /** The job whose source (a git repository) brought this document. */
  parentJobId: JobId.optional(),
  /** The request for many documents that brought this one. */
  batchId: BatchId.optional(),
  embeddingModel: z.string(),
  /** Set where the version came with all its artifacts: there is nothing to do but to index it. */
  imported: z.object({ documentCreatedAt: Timestamp }).optional(),
  createdAt: Timestamp,
});
export type Manifest = z.infer<typeof Manifest>;
