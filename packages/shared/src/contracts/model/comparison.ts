import { z } from 'zod';

/** A measure of two models over the same queries: means, from 0 to 1. */
const Measure = z.object({
  queries: z.int(),
  former: z.number(),
  next: z.number(),
  /** Of `next − former`, with 95 % confidence. */
  interval: z.tuple([z.number(), z.number()]),
});

/** How a namespace's next embedding model does beside the one that it has, by meaning alone. */
export const ModelComparison = z
  .object({
    formerModel: z.string(),
    model: z.string(),
    /** Passages found by one of their own sentences: mean reciprocal rank among the first ten. */
    selfRetrieval: Measure.optional(),
    /** Of the first ten hits of the former model, how many are among the next one's. */
    agreement: z.number().optional(),
    /** nDCG@10 over the queries that came with the request. */
    judged: Measure.optional(),
    verdict: z.enum(['good', 'worse', 'not_compared']),
    /** Why, in sentences. */
    reasons: z.array(z.string()),
    /** Whether the namespace has the next model since. */
    switched: z.boolean(),
  })
  .meta({ id: 'ModelComparison' });
export type ModelComparison = z.infer<typeof ModelComparison>;
export type ComparisonMeasure = z.infer<typeof Measure>;

/** A query with the documents that answer it. */
export const JudgedQuery = z.strictObject({
  query: z.string().min(1).max(2000),
  relevant: z.array(z.string().min(1).max(200)).min(1).max(100),
});
export type JudgedQuery = z.infer<typeof JudgedQuery>;
