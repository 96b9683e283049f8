import { expect, test } from '@jest/globals';
import { jsonShapeFault, maxJsonDepth, maxJsonMembers } from './json-shape.ts';

const nested = (depth: number) => `${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`;
const wide = (members: number) => `{${Array.from({ length: members }, (_, index) => `"k${index}":"a,b"`).join()}}`;
const both = (json: string) => [jsonShapeFault(json), jsonShapeFault(new TextEncoder().encode(json))];

test('what is nested or wide up to the limits passes, and beyond them does not, as text and as bytes', () => {
  expect(both(nested(maxJsonDepth))).toEqual([undefined, undefined]);
  for (const fault of both(nested(maxJsonDepth + 2))) expect(fault).toContain('deeper');
  expect(both(wide(maxJsonMembers))).toEqual([undefined, undefined]);
  for (const fault of both(`[1,{"a":${wide(maxJsonMembers + 1)}}]`)) expect(fault).toContain('members');
});

test('brackets, commas and quotes inside of strings count for nothing; lists may be long', () => {
  expect(both(JSON.stringify({ text: '[{"\\",'.repeat(10_000), 'é[\\"': '{'.repeat(100) }))).toEqual([
    undefined,
    undefined,
  ]);
  expect(both(JSON.stringify(Array.from({ length: 10_000 }, () => ({ a: [1, 2] }))))).toEqual([undefined, undefined]);
});

test('text that is no JSON is left to the parser', () => {
  for (const text of ['', '"', '"\\', ']]]]', '{,,,', ',,', '1,2', 'x']) expect(jsonShapeFault(text)).toBeUndefined();
});
