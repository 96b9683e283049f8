import { z } from 'zod';
import { Explanation } from './explanation.ts';
import { Filter } from './filter.ts';
import { DocumentId, Metadata, Namespace, Span, Version } from './ids.ts';

export const SearchMode = z.enum(['hybrid', 'dense', 'lexical']);
export type SearchMode = z.infer<typeof SearchMode>;

export const SearchRequest = z
  .strictObject({
    query: z.string().trim().min(1, 'is empty').max(8192),
    namespace: Namespace.default('default'),
    topK: z.int().min(1).max(100).default(10),
    mode: SearchMode.default('hybrid'),
    filter: Filter.optional(),
    /** Lower bound of `similarity`. */
    minScore: z.number().min(-1).max(1).optional(),
    rerank: z.boolean().optional(),
    diversity: z.number().min(0).max(1).optional(),
    recency: z.strictObject({ halfLifeDays: z.number().positive() }).optional(),
    perDocument: z.int().min(1).max(100).optional(),
    neighbours: z.int().min(0).max(5).optional(),
    /** ISO-8601, in UTC or with an offset. */
    asOf: z.iso.datetime({ offset: true }).optional(),
    explain: z.boolean().optional(),
    highlight: z.boolean().default(true),
  })
  .meta({ id: 'SearchRequest' });
export type SearchRequest = z.infer<typeof SearchRequest>;

/**
 * What to mark: a sentence that matches (with `terms`, the words in it that do), or a word that matches outside of it.
 * Spans are in the document's text.
 */
export const Highlight = z.object({ ...Span.shape, terms: z.array(Span).optional() }).meta({ id: 'Highlight' });
export type Highlight = z.infer<typeof Highlight>;

/** One of the chunks that a hit with neighbours is made of. */
export const HitChunk = z
  .object({ chunkId: z.string(), page: z.int().optional(), span: Span })
  .meta({ id: 'HitChunk' });
export type HitChunk = z.infer<typeof HitChunk>;

export const SearchHit = z
  .object({
    chunkId: z.string(),
    documentId: DocumentId,
    version: Version,
    title: z.string(),
    text: z.string(),
    /** Ranks within one answer. */
    score: z.number(),
    /** Cosine of query and chunk. */
    similarity: z.number(),
    page: z.int().optional(),
    headings: z.array(z.string()),
    span: Span,
    highlights: z.array(Highlight),
    metadata: Metadata,
    /** With `neighbours`: what `text` is made of, in reading order. `chunkId`, `page` and `headings` are of the best. */
    chunks: z.array(HitChunk).optional(),
    explain: Explanation.optional(),
  })
  .meta({ id: 'SearchHit' });
export type SearchHit = z.infer<typeof SearchHit>;

export const SearchResponse = z
  .object({
    hits: z.array(SearchHit),
    /** The mode that answered. */
    mode: SearchMode,
    tookMs: z.number(),
    degraded: z.array(z.string()).optional(),
  })
  .meta({ id: 'SearchResponse' });
export type SearchResponse = z.infer<typeof SearchResponse>;

const counts = { documents: z.int(), chunks: z.int(), vectors: z.int(), postings: z.int() };

/** What a tenant's memory holds, as each store counts it. */
export const Stats = z
  .object({
    ...counts,
    namespaces: z.array(z.object({ namespace: Namespace, ...counts })),
    /** Whether every store agrees. */
    consistent: z.boolean(),
  })
  .meta({ id: 'Stats' });
export type Stats = z.infer<typeof Stats>;
