import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { configVariables } from '@semantic-memory/runtime/config-variables';
import { endpoints } from '@semantic-memory/shared/contracts/http/endpoints';
import { z } from 'zod';
import { toolVariables } from '../env/tool-variables.ts';
import { shapeText } from './fields-table.ts';
import { generatedPages } from './generated-pages.ts';
import { type JsonSchema, typeText } from './json-schema.ts';
import { markdownTable } from './markdown-table.ts';

const pages = await generatedPages();

test.each(Object.keys(pages))('%s is as `make docs` writes it', async (path) => {
  const committed = await readFile(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
  expect(committed).toBe(pages[path]);
});

test('every variable has one row, with what must be set in production marked', () => {
  const page = pages['docs/configuration.md'] ?? '';
  for (const { name } of [...Object.values(configVariables), ...toolVariables]) {
    expect([name, page.split(`| \`${name}\``).length]).toEqual([name, 2]);
  }
  expect(page).toMatch(/^\| `REDIS_URL` .*\| _production_ +\|$/m);
  expect(page).toMatch(/^\| `CACHE` .*\| _feature_ +\|$/m);
});

test('every route has one row, and every shape that is referred to a section', () => {
  const page = pages['docs/schema.md'] ?? '';
  for (const { method, path } of Object.values(endpoints)) {
    expect(page.split(`| \`${method.toUpperCase()} ${path}\` `)).toHaveLength(2);
  }
  const headings = new Set([...page.matchAll(/^### (.+)$/gm)].map(([, name = '']) => name.toLowerCase()));
  const targets = [...page.matchAll(/\]\(#([a-z]+)\)/g)].map(([, name = '']) => name);
  expect(targets.filter((name) => !headings.has(name))).toEqual([]);
});

const described = (schema: z.ZodType) => z.toJSONSchema(schema) as JsonSchema;

test.each<[schema: z.ZodType, text: string]>([
  [z.string(), 'text'],
  [z.string().min(1).max(2000), 'text of 1 to 2,000 characters'],
  [z.url().max(9), 'address of up to 9 characters'],
  [z.string().regex(/^a$/), 'text like `^a$`'],
  [z.iso.datetime(), 'time, ISO-8601'],
  [z.int(), 'whole number'],
  [z.int().min(0), 'whole number (0 or more)'],
  [z.number().positive(), 'number above 0'],
  [z.enum(['a', 'b']), '`"a"` or `"b"`'],
  [z.literal(1), '`1`'],
  [z.array(z.boolean()).max(3), 'list (up to 3) of boolean'],
  [z.tuple([z.number(), z.string()]), 'list of exactly number, text'],
  [z.union([z.string(), z.number()]), 'text or number'],
  [z.record(z.string(), z.number()), 'map of names to number'],
  [z.unknown(), 'anything'],
])('%# a type in words', (schema, text) => {
  expect(typeText(described(schema))).toBe(text);
});

test('fields of objects within are told by their path, and those of each variant apart', () => {
  const shape = z.object({
    list: z.array(z.object({ name: z.string().describe('Its name.') })),
    inner: z.object({ size: z.int().min(1) }).optional(),
  });
  expect(shapeText(described(shape)).split('\n').slice(2).map(cellsOf)).toEqual([
    ['`list`', 'list of object', 'yes', ''],
    ['`list[].name`', 'text', 'yes', 'Its name.'],
    ['`inner`', 'object', 'no', ''],
    ['`inner.size`', 'whole number (1 or more)', 'yes', ''],
  ]);
  const choice = z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('a') }),
    z.object({ kind: z.literal('b'), more: z.string() }),
  ]);
  const [first, second] = shapeText(described(choice)).split('\n\nor\n\n');
  expect(first).not.toContain('more');
  expect(second).toContain('`more`');
});

const cellsOf = (row: string) =>
  row
    .slice(2, -2)
    .split(' | ')
    .map((cell) => cell.trim());

test('a table is padded, and a bar in a cell does not end it', () => {
  expect(markdownTable(['a', 'long head'], [['x | y', 'z']])).toBe(
    '| a      | long head |\n| ------ | --------- |\n| x \\| y | z         |',
  );
});
