import { ErrorBody, type ErrorCode } from '@semantic-memory/shared/contracts/errors';
import { apiPrefix, commonErrors, type Endpoint } from '@semantic-memory/shared/contracts/http/endpoint';
import { endpoints } from '@semantic-memory/shared/contracts/http/endpoints';
import { errorStatus } from '@semantic-memory/shared/contracts/http/error-status';
import { Live, Ready } from '@semantic-memory/shared/contracts/http/health';
import { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiResponsesObject } from 'zod-openapi';

export type OpenApiDocument = ReturnType<typeof createDocument>;

/** The document of the whole HTTP interface, from the table that the server is bound to. */
export function createOpenApiDocument(version: string): OpenApiDocument {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const endpoint of Object.values(endpoints) as Endpoint[]) {
    const path = apiPrefix + endpoint.path;
    paths[path] = { ...paths[path], [endpoint.method]: operationOf(endpoint) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'semantic-memory',
      version,
      description: 'Documents go in and come out as memory that can be searched and quoted.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(Object.values(endpoints).map((endpoint) => endpoint.tag)), 'health'].map((name) => ({ name })),
    security: [{ bearer: [] }],
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
    paths: { ...paths, ...healthPaths },
  });
}

const json = (schema: z.ZodType) => ({ 'application/json': { schema } });

const healthPaths: Record<string, Record<string, ZodOpenApiOperationObject>> = {
  '/health/live': {
    get: {
      operationId: 'live',
      tags: ['health'],
      summary: 'Whether the process runs',
      security: [],
      responses: { '200': { description: 'It does.', content: json(Live) } },
    },
  },
  '/health/ready': {
    get: {
      operationId: 'ready',
      tags: ['health'],
      summary: 'Whether requests should come here, with each dependency by name',
      security: [],
      responses: {
        '200': { description: 'They should.', content: json(Ready) },
        '503': { description: 'Something needed is away, or the process is ending.', content: json(Ready) },
      },
    },
  },
};

function operationOf(endpoint: Endpoint): ZodOpenApiOperationObject {
  const { params, query, headers } = endpoint;
  const requestParams = {
    ...(params ? { path: params } : {}),
    ...(query ? { query } : {}),
    ...(headers && Object.keys(headers.shape).length > 0 ? { header: headers } : {}),
  };
  const content = bodyContent(endpoint);
  return {
    operationId: endpoint.id,
    tags: [endpoint.tag],
    summary: endpoint.summary,
    ...(endpoint.description ? { description: endpoint.description } : {}),
    security: [{ bearer: [...endpoint.scopes] }],
    ...(Object.keys(requestParams).length > 0 ? { requestParams } : {}),
    ...(Object.keys(content).length > 0 ? { requestBody: { required: true, content } } : {}),
    responses: { ...successes(endpoint), ...failures(endpoint) },
  };
}

function bodyContent({ body, multipart, upload, examples = [] }: Endpoint) {
  const named = examples.map(({ summary, request }, index) => [`example${index + 1}`, { summary, value: request }]);
  return {
    ...(body ? { 'application/json': { schema: body, examples: Object.fromEntries(named) } } : {}),
    ...(upload ? { [upload]: { schema: bytesSchema(upload) } } : {}),
    ...(multipart ? { 'multipart/form-data': { schema: formSchema(multipart) } } : {}),
  };
}

const bytesSchema = (contentMediaType: string) => z.string().meta({ override: { type: 'string', contentMediaType } });

/** The fields of a form beside its files. */
function formSchema(multipart: NonNullable<Endpoint['multipart']>): z.ZodType {
  const file = bytesSchema('application/octet-stream');
  const files = multipart.files === 'one' ? file : z.array(file);
  return (multipart.fields as z.ZodObject).extend({ [multipart.file]: files });
}

function successes(endpoint: Endpoint): ZodOpenApiResponsesObject {
  const entries = Object.entries(endpoint.responses).map(([status, response]) => {
    const { description, schema, mediaType, otherMediaType, headers } = response;
    const content = schema
      ? {
          [mediaType ?? 'application/json']: { schema },
          ...(otherMediaType ? { [otherMediaType]: { schema: z.string() } } : {}),
        }
      : mediaType
        ? { [mediaType]: { schema: z.string() } }
        : undefined;
    const described = Object.entries(headers ?? {}).map(([name, text]) => [
      name,
      { description: text, schema: { type: 'string' as const } },
    ]);
    return [
      status,
      {
        description,
        ...(content ? { content } : {}),
        ...(described.length > 0 ? { headers: Object.fromEntries(described) } : {}),
      },
    ];
  });
  return Object.fromEntries(entries);
}

const retryAfter = {
  'Retry-After': { description: 'Seconds to wait before asking again.', schema: { type: 'integer' as const } },
};

/** One answer for each status, naming the codes that it may carry. */
function failures(endpoint: Endpoint): ZodOpenApiResponsesObject {
  const byStatus = Map.groupBy<number, ErrorCode>([...commonErrors, ...endpoint.errors], (code) => errorStatus[code]);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\``).join(', '),
        content: json(ErrorBody),
        ...(status === 429 || status === 503 ? { headers: retryAfter } : {}),
      },
    ]),
  );
}
