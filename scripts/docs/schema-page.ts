import type { OpenApiDocument } from '@semantic-memory/api/openapi';
import {
  documentFaultCodes,
  type ErrorCode,
  errorCodes,
  requestFaultCodes,
} from '@semantic-memory/shared/contracts/errors';
import { apiPrefix, type Endpoint } from '@semantic-memory/shared/contracts/http/endpoint';
import { endpoints } from '@semantic-memory/shared/contracts/http/endpoints';
import { errorStatus } from '@semantic-memory/shared/contracts/http/error-status';
import { jobRegistry } from '@semantic-memory/shared/contracts/jobs';
import { AnswerSources, AnswerToken } from '@semantic-memory/shared/contracts/model/answer';
import { ArchivedDocument, ArchiveEnd, ArchiveHeader } from '@semantic-memory/shared/contracts/model/archive';
import { ChunkSet } from '@semantic-memory/shared/contracts/model/chunk';
import { Extraction, OcrPage } from '@semantic-memory/shared/contracts/model/extraction';
import { Manifest } from '@semantic-memory/shared/contracts/model/manifest';
import { IdempotencyRecord } from '@semantic-memory/shared/ingest/idempotency/accept-once';
import { BatchRecord } from '@semantic-memory/shared/ingest/stored/batch-record';
import { Outcome } from '@semantic-memory/shared/ingest/stored/outcome';
import { StoredJob } from '@semantic-memory/shared/ingest/stored/stored-job';
import { Tombstone } from '@semantic-memory/shared/ingest/stored/tombstone';
import { PatchRecord } from '@semantic-memory/shared/ingest/versions/patch-document';
import { z } from 'zod';
import { shapeText } from './fields-table.ts';
import { type JsonSchema, typeText } from './json-schema.ts';
import { markdownTable } from './markdown-table.ts';

/** What lies in the blob store as JSON, by the name of its file or folder (`ingest/stored/blob-keys.ts`). */
const stored: Readonly<Record<string, z.ZodType>> = {
  'manifest.json': Manifest,
  'outcome.json': Outcome,
  'extraction.json': Extraction,
  'pages/PAGE.json': OcrPage,
  'chunks.json': ChunkSet,
  'patch-NUMBER.json': PatchRecord,
  'tombstones/DOCUMENT.json': Tombstone,
  'batches/BATCH.json': BatchRecord,
  'idempotency/KEY.json': IdempotencyRecord,
};

/** The JSON files of an exported namespace. */
const archived: Readonly<Record<string, z.ZodType>> = {
  'export.json': ArchiveHeader,
  'documents/NUMBER/document.json': ArchivedDocument,
  'end.json': ArchiveEnd,
};

const introduction = `# Schemas

The shapes of all that crosses a border: requests and answers, jobs in the queues, records in the blob store, exported
archives. Both sides check them; what a shape does not name is refused in requests. \`needed\` gives the default where a field
may be left out. The requests and answers are in \`/openapi.json\` of the running service too. \`make docs\` writes this page from
the schemas.
`;

const events = markdownTable(
  ['event', 'data', 'how often'],
  [
    ['`sources`', '[AnswerSources](#answersources)', 'once, first'],
    ['`token`', '[AnswerToken](#answertoken)', 'for each piece of the answer'],
    ['`citation`', '[Citation](#citation)', 'for each'],
    ['`done`', '[Answer](#answer)', 'once, last'],
    ['`error`', '[Error](#error)', 'in place of `done`'],
  ],
);

/** The text of docs/schema.md. */
export function renderSchemaPage(document: OpenApiDocument): string {
  const shapes = Object.entries((document.components?.schemas ?? {}) as Record<string, JsonSchema>);
  return [
    introduction,
    `## Routes\n\nBelow \`${apiPrefix}\`. Every route may answer with an [Error](#error) too.\n\n${routes()}\n`,
    `## Codes of errors\n\nA job that has failed carries one too, in \`error\`.\n\n${codes()}\n`,
    '## Requests and answers\n',
    ...shapes.map(([name, schema]) => section(name, schema)),
    `## Events of a streamed answer\n\n${events}\n`,
    section('AnswerSources', jsonSchema(AnswerSources)),
    section('AnswerToken', jsonSchema(AnswerToken)),
    `## Jobs in the queues\n\nA payload carries references, never text or vectors.\n\n${jobs()}\n`,
    ...payloads().map(([name, schema]) => section(name, schema)),
    '## Records in the blob store\n',
    ...Object.entries(stored).map(([name, schema]) => section(name, jsonSchema(schema))),
    section('StoredJob', jsonSchema(StoredJob)),
    '## Archives of a namespace\n',
    ...Object.entries(archived).map(([name, schema]) => section(name, jsonSchema(schema))),
  ].join('\n');
}

const section = (name: string, schema: JsonSchema) => `### ${name}\n\n${shapeText(schema)}\n`;

/** A schema as JSON Schema; one with a name of its own is written out, not referred to. */
function jsonSchema(schema: z.ZodType): JsonSchema {
  const written = z.toJSONSchema(schema, { io: 'output' }) as JsonSchema & { $defs?: Record<string, JsonSchema> };
  const own = written.$ref && written.$defs?.[written.$ref.slice('#/$defs/'.length)];
  return own || written;
}

function routes(): string {
  const rows = (Object.values(endpoints) as Endpoint[]).map((endpoint) => [
    `\`${endpoint.method.toUpperCase()} ${endpoint.path}\``,
    endpoint.scopes.map((scope) => `\`${scope}\``).join(' '),
    endpoint.summary,
    [named(endpoint.body), endpoint.multipart ? 'a form' : '', endpoint.upload ? `\`${endpoint.upload}\`` : '']
      .filter((part) => part !== '')
      .join(' or '),
    Object.entries(endpoint.responses)
      .map(([status, { schema, mediaType }]) => [status, schema ? named(schema) : mediaType && `\`${mediaType}\``])
      .map((parts) => parts.filter(Boolean).join(' '))
      .join(', '),
  ]);
  return markdownTable(['route', 'scope', 'what', 'body', 'answer'], rows);
}

function codes(): string {
  const has = (list: readonly string[], code: ErrorCode) => list.includes(code);
  const faultOf = (code: ErrorCode) => {
    if (has(requestFaultCodes, code)) return 'the request';
    return has(documentFaultCodes, code) ? 'the document' : 'a dependency, or the service';
  };
  const rows = errorCodes.map((code) => [`\`${code}\``, String(errorStatus[code]), faultOf(code)]);
  return markdownTable(['code', 'status', 'at fault'], rows);
}

/** A link to a shape that has a name. */
function named(schema: z.ZodType | undefined): string {
  const id = schema?.meta()?.id;
  return id === undefined ? '' : typeText({ $ref: id });
}

/** Each payload once, with the names of the jobs that carry it. */
function payloads(): [name: string, schema: JsonSchema][] {
  const byPayload = Map.groupBy(Object.entries(jobRegistry), ([, { payload }]) => payload as z.ZodType);
  return [...byPayload].map(([payload, named]) => [
    `Payload of ${named.map(([name]) => name).join(', ')}`,
    jsonSchema(payload),
  ]);
}

function jobs(): string {
  const seconds = (ms: number) => `${(ms / 1000).toLocaleString('en-US')} s`;
  const rows = Object.entries(jobRegistry).map(([name, { tier, attempts, backoffMs, runningMs }]) => [
    `\`${name}\``,
    tier,
    String(attempts),
    seconds(backoffMs),
    seconds(runningMs),
  ]);
  return markdownTable(['job', 'tier', 'attempts', 'first wait between them', 'longest run'], rows);
}
