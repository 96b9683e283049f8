import { z } from 'zod';

/** A measure of two models over the same queries: means, from 0 to 1. */
const Measure = z.object({
  queries: z.int(),
  former: z.number(),
  next: z.number(),
  interval: z.tuple([z.number(), z.number()]).describe('Of `next − former`, with 95 % confidence.'),
});

export const ModelComparison = z
  .object({
    formerModel: z.string(),
    model: z.string(),
    selfRetrieval: Measure.optional().describe(
      'Passages found by one of their own sentences: mean reciprocal rank among the first ten.',
    ),
    agreement: z
      .number()
      .optional()
      .describe("Of the first ten hits of the former model, how many are among the next one's."),
    judged: Measure.optional().describe('nDCG@10 over the queries that came with the request.'),
    verdict: z.enum(['good', 'worse', 'not_compared']),
    reasons: z.array(z.string()).describe('Why, in sentences.'),
    switched: z.boolean().describe('Whether the namespace has the next model since.'),
  })
  .meta({
    id: 'ModelComparison',
    description: "How a namespace's next embedding model does beside the one that it has, by meaning alone.",
  });
export type ModelComparison = z.infer<typeof ModelComparison>;
export type ComparisonMeasure = z.infer<typeof Measure>;

/** A query with the documents that answer it. */
export const JudgedQuery = z.strictObject({
  query: z.string().min(1).max(2000),
  relevant: z.array(z.string().min(1).max(200)).min(1).max(100),
});
export type JudgedQuery = z.infer<typeof JudgedQuery>;
