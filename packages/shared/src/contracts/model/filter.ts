import { z } from 'zod';

const Scalar = z.union([z.string(), z.number(), z.boolean()]);
export type FilterScalar = z.infer<typeof Scalar>;

const Condition = z
  .strictObject({
    $eq: Scalar,
    $ne: Scalar,
    $gt: z.union([z.string(), z.number()]),
    $gte: z.union([z.string(), z.number()]),
    $lt: z.union([z.string(), z.number()]),
    $lte: z.union([z.string(), z.number()]),
    $in: z.array(Scalar).max(1000),
    $nin: z.array(Scalar).max(1000),
  })
  .partial()
  .refine((condition) => Object.keys(condition).length > 0, 'names no operator');
export type FilterCondition = z.infer<typeof Condition>;

/** `{field: value}`, `{field: {$op: value}}`, `{$and: […]}`, `{$or: […]}`; several keys mean "and". */
export type Filter = { $and?: Filter[]; $or?: Filter[] } | { [field: string]: FilterScalar | FilterCondition };

const maxDepth = 8;

function filterOfDepth(depth: number): z.ZodType<Filter> {
  const nested = depth === 0 ? z.never('is nested deeper than 8 levels') : z.lazy(() => filterOfDepth(depth - 1));
  return z
    .looseObject({ $and: z.array(nested).min(1).max(100).optional(), $or: z.array(nested).min(1).max(100).optional() })
    .catchall(z.union([Scalar, Condition]))
    .refine(
      (value) => Object.keys(value).every((key) => !key.startsWith('$') || key === '$and' || key === '$or'),
      'knows only $and and $or here',
    ) as unknown as z.ZodType<Filter>;
}

/** Over metadata and the built-in documentId, title, mediaType, createdAt. */
export const Filter: z.ZodType<Filter> = filterOfDepth(maxDepth).meta({ id: 'Filter' });
