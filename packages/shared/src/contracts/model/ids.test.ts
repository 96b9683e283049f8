import { expect, test } from '@jest/globals';
import { Metadata } from './ids.ts';

const legal: unknown[] = [
  {},
  { lang: 'en', year: 2020, draft: false, tags: ['a', 1, true] },
  { constructor: 'x', toString: 1 },
];

test.each(legal)('%j is metadata', (metadata) => {
  expect(Metadata.parse(metadata)).toEqual(metadata);
});

test('a name that objects do not take is refused, since its value would be lost', () => {
  const issues = Metadata.safeParse(JSON.parse('{"a": 1, "__proto__": "x"}')).error?.issues;
  expect(issues).toMatchObject([{ path: [], message: 'cannot have a field __proto__' }]);
});

test.each([null, 'x', [1], { a: { b: 1 } }, { '': 1 }])('%j is none', (value) => {
  expect(Metadata.safeParse(value).success).toBe(false);
});
