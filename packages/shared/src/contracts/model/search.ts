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
    topK: z.int().min(1).max(100).default(10).describe('How many hits.'),
    mode: SearchMode.default('hybrid').describe('By meaning and by words; ranked by meaning; ranked by words.'),
    filter: Filter.optional().describe('Which documents; obeyed before anything is ranked.'),
    minScore: z.number().min(-1).max(1).optional().describe('Lower bound of `similarity`, in every mode.'),
    rerank: z
      .boolean()
      .optional()
      .describe('Look at the best 50 once more. On in `hybrid` unless `false`, elsewhere only if `true`.'),
    diversity: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('The more, the fewer hits say the same (maximal marginal relevance).'),
    recency: z
      .strictObject({ halfLifeDays: z.number().positive() })
      .optional()
      .describe('The score halves with each half-life of the age of the document.'),
    perDocument: z.int().min(1).max(100).optional().describe('So many hits of one document at most.'),
    neighbours: z
      .int()
      .min(0)
      .max(5)
      .optional()
      .describe('So many chunks before and after each hit, as one piece of text.'),
    asOf: z.iso
      .datetime({ offset: true })
      .optional()
      .describe('Among the versions that were active then, by meaning. ISO-8601, in UTC or with an offset.'),
    explain: z.boolean().optional().describe('Say why each hit stands where it does.'),
    highlight: z.boolean().default(true).describe('Mark what matches.'),
  })
  .meta({ id: 'SearchRequest' });
export type SearchRequest = z.infer<typeof SearchRequest>;

export const Highlight = z.object({ ...Span.shape, terms: z.array(Span).optional() }).meta({
  id: 'Highlight',
  description:
    'What to mark: a sentence that matches (with `terms`, the words in it that do), or a word that matches outside of ' +
    "it. Spans are in the document's text.",
});
export type Highlight = z.infer<typeof Highlight>;

export const HitChunk = z
  .object({ chunkId: z.string(), page: z.int().optional(), span: Span })
  .meta({ id: 'HitChunk', description: 'One of the chunks that a hit with neighbours is made of.' });
export type HitChunk = z.infer<typeof HitChunk>;

export const SearchHit = z
  .object({
    chunkId: z.string(),
    documentId: DocumentId,
    version: Version,
    title: z.string(),
    text: z.string(),
    score: z.number().describe('Ranks within one answer.'),
    similarity: z.number().describe('Cosine of query and chunk.'),
    page: z.int().optional(),
    headings: z.array(z.string()),
    span: Span,
    highlights: z.array(Highlight),
    metadata: Metadata,
    chunks: z
      .array(HitChunk)
      .optional()
      .describe(
        'With `neighbours`: what `text` is made of, in reading order. `chunkId`, `page` and `headings` are of the best.',
      ),
    explain: Explanation.optional(),
  })
  .meta({ id: 'SearchHit' });
export type SearchHit = z.infer<typeof SearchHit>;

export const SearchResponse = z
  .object({
    hits: z.array(SearchHit),
    mode: SearchMode.describe('The mode that answered.'),
    tookMs: z.number(),
    degraded: z.array(z.string()).optional().describe('Why the answer is less than what was asked for.'),
  })
  .meta({ id: 'SearchResponse' });
export type SearchResponse = z.infer<typeof SearchResponse>;

const counts = { documents: z.int(), chunks: z.int(), vectors: z.int(), postings: z.int() };

export const Stats = z
  .object({
    ...counts,
    namespaces: z.array(z.object({ namespace: Namespace, ...counts })),
    consistent: z.boolean().describe('Whether every store agrees.'),
  })
  .meta({ id: 'Stats', description: "What a tenant's memory holds, as each store counts it." });
export type Stats = z.infer<typeof Stats>;
