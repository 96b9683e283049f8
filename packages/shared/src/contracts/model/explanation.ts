import { z } from 'zod';

const Rank = z.int().min(1);

export const Explanation = z
  .object({
    rank: Rank.describe('Its place in this answer.'),
    dense: z
      .object({ rank: Rank, similarity: z.number() })
      .optional()
      .describe(
        'By meaning alone: its place among the candidates of this search. Absent where the query was not embedded.',
      ),
    lexical: z
      .object({ rank: Rank.optional(), score: z.number() })
      .optional()
      .describe(
        'By words alone, before the scale of the fusion. No rank where no word matches; absent where words were not asked.',
      ),
    rerank: z.number().optional().describe("The reranker's own score, where it looked at this hit."),
    matched: z
      .object({ terms: z.array(z.string()), identifiers: z.array(z.string()) })
      .describe(
        'Words of the title and the text that match a word of the query, as they stand there, and whole identifiers.',
      ),
    parts: z
      .record(z.string(), z.number())
      .describe('What `score` is the sum of, such as `dense`, `lexical`, `rerank`, `recency`, `diversity`.'),
    recency: z
      .object({ factor: z.number(), ageDays: z.number() })
      .optional()
      .describe("With `recency`: the document's age, and the factor that makes of the score."),
    likest: z
      .object({ chunkId: z.string(), similarity: z.number() })
      .optional()
      .describe(
        'With `diversity`: the cosine with the likest of the hits before it, and its `chunkId`. Absent for the first hit.',
      ),
  })
  .meta({ id: 'Explanation', description: 'Why a hit stands where it does.' });
export type Explanation = z.infer<typeof Explanation>;
