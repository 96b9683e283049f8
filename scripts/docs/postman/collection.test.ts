import { expect, test } from '@jest/globals';
import { createOpenApiDocument } from '@semantic-memory/api/openapi';
import { renderCollection } from './collection.ts';
import { operationsOf } from './operations.ts';

interface Item {
  readonly name: string;
  readonly event: readonly [{ readonly script: { readonly exec: readonly string[] } }];
  readonly request: { readonly method: string; readonly url: { readonly raw: string } };
}
interface Collection {
  readonly item: readonly { readonly item: readonly Item[] }[];
}

const operations = operationsOf(createOpenApiDocument('1.0.0'));
const items = (renderCollection(operations) as Collection).item.flatMap(({ item }) => item);

test('every route of the OpenAPI document has a request, and every request asks for a status', () => {
  const asked = new Set(items.map(({ request }) => `${request.method} ${request.url.raw.split('?')[0]}`));
  for (const { method, path } of operations.values()) {
    expect(asked).toContain(`${method} {{baseUrl}}${path.replaceAll(/\{(\w+)\}/g, ':$1')}`);
  }
  for (const { event } of items) expect(event[0].script.exec.join('\n')).toContain('response.to.have.status(');
  expect(new Set(items.map(({ name }) => name)).size).toBe(items.length);
});

test('a test asks for the fields that the schema of that status needs', () => {
  const scripts = new Map(items.map(({ name, event }) => [name, event[0].script.exec.join('\n')]));
  expect(scripts.get('Find passages')).toContain("include.all.keys('hits', 'mode', 'tookMs')");
  expect(scripts.get('It is gone')).toContain("include.all.keys('error')");
  expect(scripts.get('Follow a job to its end')).not.toContain('all.keys');
});

test('a route that the journey passes by, and a step without a route, stop it', () => {
  const [some] = operations.values();
  if (!some) throw new Error('there is no route');
  expect(() => renderCollection(new Map([...operations, ['another', some]]))).toThrow(/passes by another/);
  expect(() => renderCollection(new Map([...operations].filter(([id]) => id !== 'stats')))).toThrow(/no route stats/);
});
