import { z } from 'zod';

const Rank = z.int().min(1);

/** Why a hit stands where it does. */
export const Explanation = z
  .object({
    /** Its place in this answer. */
    rank: Rank,
    /** By meaning alone: its place among the candidates of this search. Absent where the query was not embedded. */
    dense: z.object({ rank: Rank, similarity: z.number() }).optional(),
    /** By words alone, before the scale of the fusion. No rank where no word matches; absent where words were not asked. */
    lexical: z.object({ rank: Rank.optional(), score: z.number() }).optional(),
    /** The reranker's own score, where it looked at this hit. */
    rerank: z.number().optional(),
    /** Words of the title and the text that match a word of the query, as they stand there, and whole identifiers. */
    matched: z.object({ terms: z.array(z.string()), identifiers: z.array(z.string()) }),
    /** What `score` is the sum of, such as `dense`, `lexical`, `rerank`, `recency`, `diversity`. */
    parts: z.record(z.string(), z.number()),
    /** With `recency`: the document's age, and the factor that makes of the score. */
    recency: z.object({ factor: z.number(), ageDays: z.number() }).optional(),
    /** With `diversity`: the cosine with the likest of the hits before it, and its `chunkId`. Absent for the first hit. */
    likest: z.object({ chunkId: z.string(), similarity: z.number() }).optional(),
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.infer<typeof Explanation>;
