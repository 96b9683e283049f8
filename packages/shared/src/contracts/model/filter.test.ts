import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { Filter } from './filter.ts';
import { SearchRequest } from './search.ts';

const legal: unknown[] = [
  {},
  { lang: 'en' },
  { year: 2020, draft: false },
  { year: { $gte: 2000, $lt: 2020 } },
  { tags: { $in: ['a', 1, true] }, lang: { $nin: [] } },
  { createdAt: { $gt: '2026-01-01T00:00:00Z' }, documentId: { $ne: 'x' } },
  { $and: [{ lang: 'en' }, { $or: [{ year: 1 }, { year: { $eq: 2 } }] }], title: 'T' },
  { $or: [{ $and: [{ $or: [{ a: 1 }] }] }] },
];

test.each(legal)('%j is a filter', (value) => {
  expect(Filter.parse(value)).toEqual(value);
});

const illegal: [value: unknown, path: string, message: RegExp][] = [
  [{ year: { $regex: 'x' } }, 'year', /no operator \$regex: known are \$eq/],
  [{ year: { gte: 5 } }, 'year', /no operator gte/],
  [{ year: { $eq: 1, $exists: true } }, 'year', /no operator \$exists: known are \$eq/],
  [{ year: {} }, 'year', /names no operator/],
  [{ tags: ['a'] }, 'tags', /is a list: use \{"\$in"/],
  [{ lang: null }, 'lang', /must be a string, a number, a boolean/],
  [{ year: { $gt: true } }, 'year', /\$gt takes a string or a number/],
  [{ year: { $in: 5 } }, 'year', /\$in takes a list/],
  [{ year: { $in: Array(1001).fill(1) } }, 'year', /\$in takes a list of up to 1,000/],
  [{ year: { $eq: [1] } }, 'year', /\$eq takes a string, a number or a boolean/],
  [{ $not: { a: 1 } }, '$not', /only \$and and \$or/],
  [{ $and: { a: 1 } }, '$and', /expected array/],
  [{ $or: [] }, '$or', />=1/],
  [{ $and: [1] }, '$and.0', /expected object/],
  [{ $or: [{ a: 1 }, null] }, '$or.1', /expected object/],
  [{ $or: [{ a: 1 }, { b: { $like: 'x' } }] }, '$or.1.b', /no operator \$like/],
  [JSON.parse('{"__proto__": "x"}'), '', /cannot have a field __proto__/],
  [JSON.parse('{"$or": [{"__proto__": {"$ne": "x"}}]}'), '', /cannot have a field __proto__/],
];

test.each(illegal)('%j is refused at %s', (value, path, message) => {
  const issues = Filter.safeParse(value).error?.issues ?? [];
  expect(issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  expect(issues[0]?.message).toMatch(message);
});

const nest = (levels: number): unknown =>
  Array.from({ length: levels }).reduce((inner) => ({ $and: [inner] }), { a: 1 } as unknown);

test('nesting ends at eight levels, also where a hostile body goes a hundred thousand deep', () => {
  expect(Filter.safeParse(nest(8)).success).toBe(true);
  const tooDeep = Filter.safeParse(nest(9)).error?.issues[0];
  expect(tooDeep?.message).toMatch(/deeper than 8 levels/);
  expect(Filter.safeParse(nest(100_000)).success).toBe(false);
});

test('the number of conditions is bounded', () => {
  const wide = (count: number) => ({
    $or: [Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, i]))],
  });
  expect(Filter.safeParse(wide(500)).success).toBe(true);
  expect(Filter.safeParse(wide(501)).error?.issues[0]?.message).toMatch(/more than 500/);
});

test('a search request names each fault of its filter', () => {
  const parsed = SearchRequest.safeParse({ query: 'x', filter: { a: { $foo: 1 }, b: [] } });
  expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toEqual(['filter.a', 'filter.b']);
});

test('the JSON Schema of a filter refers to itself', () => {
  const schema = JSON.stringify(z.toJSONSchema(SearchRequest, { io: 'input' }));
  expect(schema).toContain('"$ref":"#/$defs/Filter"');
  expect(schema.length).toBeLessThan(10_000);
});
