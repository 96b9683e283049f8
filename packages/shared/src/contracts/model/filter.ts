import { z } from 'zod';

const Scalar = z.union([z.string(), z.number(), z.boolean()]);
export type FilterScalar = z.infer<typeof Scalar>;

const Ordered = z.union([z.string(), z.number()]);
const Scalars = z.array(Scalar).max(1000);

const operators = ['$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$in', '$nin'] as const;

const Condition = z
  .strictObject({
    $eq: Scalar,
    $ne: Scalar,
    $gt: Ordered,
    $gte: Ordered,
    $lt: Ordered,
    $lte: Ordered,
    $in: Scalars,
    $nin: Scalars,
  })
  .partial()
  .refine((condition) => Object.keys(condition).length > 0);
export type FilterCondition = z.infer<typeof Condition>;

/** `{field: value}`, `{field: {$op: value}}`, `{$and: […]}`, `{$or: […]}`; several keys mean "and". */
export type Filter = { $and?: Filter[]; $or?: Filter[] } | { [field: string]: FilterScalar | FilterCondition };

const maxDepth = 8;
/** A filter is tried on every document of a namespace. */
const maxConditions = 500;

/** What is wrong with the value of a field, in one sentence: a union's own message only says that nothing fits. */
function conditionFault(issue: { path?: PropertyKey[] | undefined; input?: unknown }): string {
  const field = issue.path?.at(-1);
  const { input } = issue;
  if (typeof field === 'string' && field.startsWith('$')) return `is not known here: only $and and $or are`;
  if (Array.isArray(input)) return 'is a list: use {"$in": […]}';
  if (typeof input !== 'object' || input === null)
    return 'must be a string, a number, a boolean or {"$operator": value}';
  const unknown = Object.keys(input).filter((key) => !(operators as readonly string[]).includes(key));
  if (unknown.length > 0) return `has no operator ${unknown.slice(0, 3).join(', ')}: known are ${operators.join(', ')}`;
  if (Object.keys(input).length === 0) return 'names no operator';
  const result = Condition.safeParse(input);
  const at = result.success ? '' : String(result.error.issues[0]?.path[0] ?? '');
  if (at === '$in' || at === '$nin') return `${at} takes a list of up to 1,000 strings, numbers or booleans`;
  if (at === '$eq' || at === '$ne') return `${at} takes a string, a number or a boolean`;
  return `${at} takes a string or a number`;
}

function filterOfDepth(depth: number): z.ZodType<Filter> {
  const nested =
    depth === 0
      ? z.never({ error: `is nested deeper than ${maxDepth} levels` })
      : z.lazy(() => filterOfDepth(depth - 1));
  return z
    .object({ $and: z.array(nested).min(1).max(100).optional(), $or: z.array(nested).min(1).max(100).optional() })
    .catchall(z.union([Scalar, Condition], { error: conditionFault })) as unknown as z.ZodType<Filter>;
}

function countConditions(filter: Filter): number {
  let count = 0;
  for (const [key, value] of Object.entries(filter)) {
    if (key !== '$and' && key !== '$or') count += 1;
    else for (const part of value as Filter[]) count += countConditions(part);
  }
  return count;
}

/** Over metadata and the built-in documentId, title, mediaType, createdAt. */
export const Filter: z.ZodType<Filter> = filterOfDepth(maxDepth)
  .refine((filter) => countConditions(filter) <= maxConditions, `has more than ${maxConditions} conditions`)
  .meta({ id: 'Filter' });
