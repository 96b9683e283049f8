import { z } from 'zod';

export const DocumentId = z
  .string()
  .regex(/^[A-Za-z0-9._~:@-]{1,200}$/, 'must be 1 to 200 characters of A-Z a-z 0-9 . _ ~ : @ -')
  .meta({ id: 'DocumentId', description: 'Unique in a tenant; chosen by the caller, or made up.' });

export const Namespace = z
  .string()
  .regex(/^[A-Za-z0-9._~:@-]{1,100}$/, 'must be 1 to 100 characters of A-Z a-z 0-9 . _ ~ : @ -')
  .meta({ id: 'Namespace', description: "Divides a tenant's memory." });

export const Tenant = z.string().min(1).max(200);

export const JobId = z.string().regex(/^job_[0-9A-HJKMNP-TV-Z]{26}$/, 'is not a job id');
export const BatchId = z.string().regex(/^batch_[0-9A-HJKMNP-TV-Z]{26}$/, 'is not a batch id');
/** Names one call of a webhook: the same for every attempt at it. */
export const DeliveryId = z.string().regex(/^del_[0-9A-HJKMNP-TV-Z]{26}$/, 'is not a delivery id');
export const Version = z.int().min(1);

/** The fields that name one version of a document, and where it lives. */
export const versionFields = { tenant: Tenant, namespace: Namespace, documentId: DocumentId, version: Version };

/** ISO-8601 in UTC. */
export const Timestamp = z.iso.datetime();

export const Span = z.object({ start: z.int().min(0), end: z.int().min(0) }).meta({
  id: 'Span',
  description: "Half-open range in UTF-16 code units of a document's text: `text.slice(start, end)`.",
});
export type Span = z.infer<typeof Span>;

/** Where a namespace's data lives: all stores are divided by this pair. */
export interface Scope {
  readonly tenant: string;
  readonly namespace: string;
}

/** A name that objects do not take: what bears it would be lost. */
export const unusableName = '__proto__';

const MetadataScalar = z.union([z.string().max(10_000), z.number(), z.boolean()]);
export const Metadata = z
  .preprocess(
    (value, context) => {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, unusableName)) return value;
      context.addIssue({ code: 'custom', message: `cannot have a field ${unusableName}` });
      return z.NEVER;
    },
    z.record(z.string().min(1).max(200), z.union([MetadataScalar, z.array(MetadataScalar).max(1000)])),
  )
  .meta({
    id: 'Metadata',
    description: "The caller's own facts about a document: strings, numbers, booleans, or lists of them.",
  });
export type Metadata = z.infer<typeof Metadata>;

export const Priority = z.enum(['low', 'normal', 'high']);
export type Priority = z.infer<typeof Priority>;
