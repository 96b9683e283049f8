import { z } from 'zod';
import { JudgedQuery } from './comparison.ts';
import { bucketPattern, isKeyLike, isPlainKey } from './object-key.ts';

/** RFC 9110, section 8.3.1: nothing else may be answered with as the type of an original. */
export const mediaTypePattern = /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(?:[ \t]*;[\t\x20-\x7e]{0,300})?$/;

export const TextSource = z.object({
  type: z.literal('text'),
  text: z.string(),
  mediaType: z
    .string()
    .max(200)
    .regex(mediaTypePattern, 'is not a media type')
    .optional()
    .describe('`text/plain` unless given; `text/markdown` and `text/html` are understood.'),
});
export const UrlSource = z.object({ type: z.literal('url'), url: z.url({ protocol: /^https?$/ }).max(4096) });
export const GitSource = z.object({
  type: z.literal('git'),
  url: z.url({ protocol: /^https?$/ }).max(4096),
  ref: z
    .string()
    .regex(/^(?!-)[A-Za-z0-9._/-]{1,200}$/, 'is not a branch, tag or commit name')
    .optional(),
  include: z.array(z.string().max(500)).max(100).optional().describe('Globs of paths; everything unless given.'),
  exclude: z.array(z.string().max(500)).max(100).optional(),
});
/** A key, or the beginning of one. */
const ObjectKey = z
  .string()
  .max(1024)
  .refine(isKeyLike, 'has more than 1,024 bytes, or is not Unicode')
  .refine(isPlainKey, 'has a part "." or ".."');
export const S3Source = z.object({
  type: z.literal('s3'),
  bucket: z.string().regex(bucketPattern, 'is not the name of a bucket'),
  key: ObjectKey.min(1).optional().describe('Of one object: it becomes the document.'),
  prefix: ObjectKey.optional().describe(
    'Each object whose key begins so becomes a document of its own, by the id `{documentId}:{key}` with `:` for `/`. Empty: the whole bucket.',
  ),
});

export const Source = z.discriminatedUnion('type', [TextSource, UrlSource, GitSource, S3Source]).meta({
  id: 'Source',
  description: 'Where a document comes from, as a request names it. A file comes as a multipart part instead.',
});
export type Source = z.infer<typeof Source>;

/** A source as the manifest keeps it: bytes that came with the request are in the blob store already. */
export const StoredSource = z.discriminatedUnion('type', [
  z.object({ type: z.literal('upload'), filename: z.string().optional() }),
  UrlSource,
  GitSource,
  S3Source,
  /** An exported namespace: the original is the archive. */
  z.object({ type: z.literal('import') }),
  /** Another embedding model for the namespace: there is no original. */
  z.object({
    type: z.literal('reindex'),
    model: z.string(),
    force: z.boolean(),
    judged: z.array(JudgedQuery).exactOptional(),
  }),
]);
export type StoredSource = z.infer<typeof StoredSource>;
