import { z } from 'zod';
import { unusableName } from './ids.ts';

const Scalar = z.union([z.string(), z.number(), z.boolean()]);
export type FilterScalar = z.infer<typeof Scalar>;

const Ordered = z.union([z.string(), z.number()]);
const Scalars = z.array(Scalar).max(1000);

const operators = ['$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$in', '$nin'] as const;

function unknownOperator(issue: { input?: unknown }): string | undefined {
  if (typeof issue.input !== 'object' || issue.input === null) return undefined;
  const unknown = Object.keys(issue.input).filter((key) => !(operators as readonly string[]).includes(key));
  if (unknown.length === 0) return undefined;
  return `has no operator ${unknown.slice(0, 3).join(', ')}: known are ${operators.join(', ')}`;
}

const Condition = z
  .strictObject(
    {
      $eq: Scalar,
      $ne: Scalar,
      $gt: Ordered,
      $gte: Ordered,
      $lt: Ordered,
      $lte: Ordered,
      $in: Scalars,
      $nin: Scalars,
    },
    { error: unknownOperator },
  )
  .partial()
  // Ends the parsing of the union, whose own message is the clear one.
  .refine((condition) => Object.keys(condition).length > 0, { abort: true })
  .meta({ override: { minProperties: 1 } });
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
  const unknown = unknownOperator({ input });
  if (unknown !== undefined) return unknown;
  if (Object.keys(input).length === 0) return 'names no operator';
  const at = String(Condition.safeParse(input).error?.issues[0]?.path[0]);
  if (at === '$in' || at === '$nin') return `${at} takes a list of up to 1,000 strings, numbers or booleans`;
  if (at === '$eq' || at === '$ne') return `${at} takes a string, a number or a boolean`;
  return `${at} takes a string or a number`;
}

const FilterNode: z.ZodType<Filter> = z
  .object({
    $and: z
      .array(z.lazy((): z.ZodType<Filter> => FilterNode))
      .min(1)
      .max(100)
      .optional(),
    $or: z
      .array(z.lazy((): z.ZodType<Filter> => FilterNode))
      .min(1)
      .max(100)
      .optional(),
  })
  // The compiler cannot say "every key but these two"; the schema can.
  .catchall(z.union([Scalar, Condition], { error: conditionFault }))
  .meta({
    id: 'Filter',
    description:
      '`{field: value}`, `{field: {$op: value}}`, `$and` and `$or` over metadata and the built-in `documentId`, `title`, ' +
      '`mediaType`, `createdAt`. Several keys mean "and".',
  }) as unknown as z.ZodType<Filter>;

/** Which bound a filter breaks, or which key would be lost on the way. Without recursion, since a body may be nested deeper than the stack. */
function boundFault(value: unknown): string | undefined {
  let conditions = 0;
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) return `is nested deeper than ${maxDepth} levels`;
    const nested: unknown[] = [];
    for (const node of level) {
      if (typeof node !== 'object' || node === null) continue;
      for (const [key, part] of Object.entries(node)) {
        if (key === unusableName) return `cannot have a field ${unusableName}`;
        if (key !== '$and' && key !== '$or') conditions += 1;
        else if (Array.isArray(part)) for (const inner of part) nested.push(inner);
      }
    }
    level = nested;
  }
  return conditions > maxConditions ? `has more than ${maxConditions} conditions` : undefined;
}

/** Over metadata and the built-in documentId, title, mediaType, createdAt. */
export const Filter: z.ZodType<Filter> = z.preprocess((value, context) => {
  const fault = boundFault(value);
  if (fault === undefined) return value;
  context.addIssue({ code: 'custom', message: fault });
  return z.NEVER;
}, FilterNode);
