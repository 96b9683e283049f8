import { expect, test } from '@jest/globals';
import { renderDocsPage } from './docs-page.ts';
import { createOpenApiDocument, type OpenApiDocument } from './openapi.ts';

test('every shape that the page links to is on it', () => {
  const page = renderDocsPage(createOpenApiDocument('1.0.0'));
  const links = [...page.matchAll(/href="#(schema-\w+)"/g)].map(([, id]) => id);
  expect(links.length).toBeGreaterThan(20);
  for (const id of links) expect(page).toContain(`id="${id}"`);
});

test('a shape without a type of its own is shown whole, and no name of a type is made up', () => {
  const document = createOpenApiDocument('1.0.0');
  const schemas = { Either: { anyOf: [{ type: 'string' }, { $ref: '#/components/schemas/Job' }] } };
  const page = renderDocsPage({ ...document, paths: {}, components: { schemas } } as OpenApiDocument);
  expect(page).toContain('id="schema-Either"');
  expect(page).toContain('&quot;anyOf&quot;');
  expect(page).toContain('<a href="#schema-Job">Job</a>');
  expect(page).not.toContain('undefined');
});
