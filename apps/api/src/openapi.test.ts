import { expect, test } from '@jest/globals';
import { apiPrefix, type Endpoint } from '@semantic-memory/shared/contracts/http/endpoint';
import { endpoints } from '@semantic-memory/shared/contracts/http/endpoints';
import { Validator } from '@seriousme/openapi-schema-validator';
import { createOpenApiDocument } from './openapi.ts';

const document = JSON.parse(JSON.stringify(createOpenApiDocument('1.0.0')));

test('the document has every endpoint with its parameters, body, scopes and statuses', () => {
  for (const endpoint of Object.values(endpoints) as Endpoint[]) {
    const operation = document.paths[apiPrefix + endpoint.path]?.[endpoint.method];
    expect(operation?.operationId).toBe(endpoint.id);
    expect(operation.security).toEqual([{ bearer: [...endpoint.scopes] }]);
    const inPath = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const parameters = (operation.parameters ?? []) as { name: string; in: string }[];
    expect(parameters.filter((one) => one.in === 'path').map((one) => one.name)).toEqual(inPath);
    expect(parameters.filter((one) => one.in === 'query').map((one) => one.name)).toEqual(
      Object.keys(endpoint.query?.shape ?? {}),
    );
    expect(Object.keys(operation.requestBody?.content ?? {})).toEqual([
      ...(endpoint.body ? ['application/json'] : []),
      ...(endpoint.upload ? [endpoint.upload] : []),
      ...(endpoint.multipart ? ['multipart/form-data'] : []),
    ]);
    expect(Object.keys(operation.responses)).toEqual(
      expect.arrayContaining([...Object.keys(endpoint.responses), '401', '403', '429', '503']),
    );
  }
  const count = Object.values(document.paths as Record<string, object>).flatMap((item) => Object.keys(item)).length;
  expect(count).toBe(Object.keys(endpoints).length + 2);
});

test('every reference leads somewhere, and the shapes have their public names', () => {
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
    ([, name]) => name,
  );
  expect(refs.length).toBeGreaterThan(20);
  for (const name of refs) expect(document.components.schemas).toHaveProperty([name ?? '']);
  expect(Object.keys(document.components.schemas)).toEqual(
    expect.arrayContaining([
      'Job',
      'Document',
      'Error',
      'SearchRequest',
      'SearchResponse',
      'Answer',
      'Chunk',
      'DeleteReceipt',
    ]),
  );
});

test('the examples in the document are requests that the schemas accept', () => {
  for (const endpoint of Object.values(endpoints) as Endpoint[]) {
    for (const example of endpoint.examples ?? []) {
      expect(endpoint.body?.safeParse(example.request).error).toBeUndefined();
    }
  }
});

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator();
  const result = await validator.validate(structuredClone(document));
  expect(result).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
  // The check can fail.
  expect((await new Validator().validate({ ...document, paths: { x: {} } })).valid).toBe(false);
});

test('what is refused for more than the type of a member is refused by the document too', () => {
  const { DocumentPatch, Filter } = document.components.schemas;
  expect(DocumentPatch.minProperties).toBe(1);
  expect(Filter.additionalProperties.anyOf.at(-1)).toMatchObject({ type: 'object', minProperties: 1 });
  for (const endpoint of [endpoints.jobEvents, endpoints.ragEvents]) {
    const { parameters } = document.paths[apiPrefix + endpoint.path].get;
    const { schema } = parameters.find((one: { in: string }) => one.in === 'header');
    expect(new RegExp(schema.pattern).test('nonsense')).toBe(false);
  }
});

test('what is refused for now says when to ask again, and only that', () => {
  const { responses } = document.paths[apiPrefix + endpoints.search.path].post;
  const told = Object.keys(responses).filter((status) => responses[status].headers?.['Retry-After']);
  expect(told).toEqual(['429', '503']);
});

test('an answer that may come whole or as events has both media types', () => {
  const { content } = document.paths[apiPrefix + endpoints.rag.path].post.responses[200];
  expect(Object.keys(content)).toEqual(['application/json', 'text/event-stream']);
});
