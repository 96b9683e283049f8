import type { Filter, FilterCondition, FilterScalar } from '../contracts/model/filter.ts';
import type { DocumentRow } from '../ports/ledger.ts';

export type RowPredicate = (row: DocumentRow) => boolean;
/** One value of a field against one condition. */
type ValuePredicate = (value: FilterScalar) => boolean;

const builtIns: Record<string, (row: DocumentRow) => FilterScalar> = {
  documentId: (row) => row.documentId,
  title: (row) => row.title,
  mediaType: (row) => row.mediaType,
  createdAt: (row) => row.createdAt,
};

/** The values of a field: none where it is missing (or an empty list). A built-in hides metadata of the same name. */
function valuesOf(row: DocumentRow, field: string): readonly FilterScalar[] {
  const builtIn = Object.hasOwn(builtIns, field) ? builtIns[field] : undefined;
  if (builtIn) return [builtIn(row)];
  const value = Object.hasOwn(row.metadata, field) ? row.metadata[field] : undefined;
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

// A date, or a date with a time: what ISO 8601 and RFC 3339 share and Date.parse reads.
const isoTime = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/;

function timeOf(value: FilterScalar): number {
  return typeof value === 'string' && isoTime.test(value) ? Date.parse(value) : Number.NaN;
}

/**
 * How `value` stands to `operand`: below 0, 0, above 0; undefined where the two are of unlike types. Two ISO times
 * compare as times, in every field; `createdAt` is a time and unlike everything else.
 */
function comparison(field: string, operand: FilterScalar): (value: FilterScalar) => number | undefined {
  const operandTime = timeOf(operand);
  return (value) => {
    if (typeof value !== typeof operand) return undefined;
    const difference = timeOf(value) - operandTime;
    if (!Number.isNaN(difference)) return difference;
    if (field === 'createdAt') return undefined;
    if (value === operand) return 0;
    return value < operand ? -1 : 1;
  };
}

function holds(field: string, operand: FilterScalar, test: (order: number) => boolean): ValuePredicate {
  const compare = comparison(field, operand);
  return (value) => {
    const order = compare(value);
    return order !== undefined && test(order);
  };
}

function isIn(field: string, operands: readonly FilterScalar[]): ValuePredicate {
  const exact = new Set(operands);
  const times = new Set(operands.map(timeOf).filter((time) => !Number.isNaN(time)));
  return (value) => (field !== 'createdAt' && exact.has(value)) || (times.size > 0 && times.has(timeOf(value)));
}

function isNotIn(field: string, operands: readonly FilterScalar[]): ValuePredicate {
  const included = isIn(field, operands);
  const comparable = operands.map((operand) => comparison(field, operand));
  return (value) =>
    !included(value) && (operands.length === 0 || comparable.some((compare) => compare(value) !== undefined));
}

function operatorPredicates(field: string, condition: FilterCondition): ValuePredicate[] {
  const { $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin } = condition;
  const predicates: ValuePredicate[] = [];
  if ($eq !== undefined) predicates.push(holds(field, $eq, (order) => order === 0));
  if ($ne !== undefined) predicates.push(holds(field, $ne, (order) => order !== 0));
  if ($gt !== undefined) predicates.push(holds(field, $gt, (order) => order > 0));
  if ($gte !== undefined) predicates.push(holds(field, $gte, (order) => order >= 0));
  if ($lt !== undefined) predicates.push(holds(field, $lt, (order) => order < 0));
  if ($lte !== undefined) predicates.push(holds(field, $lte, (order) => order <= 0));
  if ($in !== undefined) predicates.push(isIn(field, $in));
  if ($nin !== undefined) predicates.push(isNotIn(field, $nin));
  return predicates;
}

function fieldPredicate(field: string, wanted: FilterScalar | FilterCondition): RowPredicate {
  const condition: FilterCondition = typeof wanted === 'object' ? wanted : { $eq: wanted };
  const predicates = operatorPredicates(field, condition);
  const matchesMissing = Object.keys(condition).every((operator) => operator === '$ne' || operator === '$nin');
  return (row) => {
    const values = valuesOf(row, field);
    if (values.length === 0) return matchesMissing;
    return values.some((value) => predicates.every((predicate) => predicate(value)));
  };
}

/**
 * Turns a filter into a test of one document.
 * - Several keys, and several operators of one field, mean "and"; a list matches where one of its values does (for
 *   every operator: `$ne: "a"` matches the list a, b by its b).
 * - `$ne` and `$nin` match a missing field, the others do not.
 * - Unlike types never match, whatever the operator: `$ne: "5"` does not match the number 6.
 */
export function compileFilter(filter: Filter): RowPredicate {
  const predicates = Object.entries(filter).map(([key, value]): RowPredicate => {
    // The schema has checked the shapes: lists of filters under $and and $or, conditions under every other key.
    if (key === '$and') {
      const parts = (value as Filter[]).map(compileFilter);
      return (row) => parts.every((part) => part(row));
    }
    if (key === '$or') {
      const parts = (value as Filter[]).map(compileFilter);
      return (row) => parts.some((part) => part(row));
    }
    return fieldPredicate(key, value as FilterScalar | FilterCondition);
  });
  return (row) => predicates.every((predicate) => predicate(row));
}
