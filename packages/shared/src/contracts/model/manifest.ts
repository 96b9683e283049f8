import { z } from 'zod';
import { BatchId, JobId, Metadata, Priority, Timestamp, versionFields } from './ids.ts';
import { StoredSource } from './source.ts';

export const Manifest = z
  .object({
    schemaVersion: z.literal(1),
    ...versionFields,
    jobId: JobId,
    source: StoredSource,
    /** Set for sources whose bytes came with the request. */
    original: z
      .object({
        key: z.string(),
        bytes: z.int(),
        sha256: z.string(),
        isPlainText: z.literal(true).optional().describe('Recognised when it was accepted: it needs no parser.'),
      })
      .optional(),
    title: z.string().optional(),
    metadata: Metadata,
    declaredMediaType: z.string().optional().describe('What the caller said the bytes are; content decides.'),
    priority: Priority,
    options: z.record(z.string(), z.unknown()),
    callbackUrl: z.string().optional(),
    parentJobId: JobId.optional().describe(
      'The job whose source (a git repository, a prefix of a bucket) brought this document.',
    ),
    batchId: BatchId.optional().describe('The request for many documents that brought this one.'),
    embeddingModel: z.string(),
    imported: z
      .object({ documentCreatedAt: Timestamp })
      .optional()
      .describe('Set where the version came with all its artifacts: there is nothing to do but to index it.'),
    createdAt: Timestamp,
  })
  .describe('What was accepted: the durable record from which everything else can be rebuilt. Immutable once written.');
export type Manifest = z.infer<typeof Manifest>;
