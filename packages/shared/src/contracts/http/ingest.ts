import { z } from 'zod';
import { jsonShapeFault } from '../json-shape.ts';
import { DryRun } from '../model/dry-run.ts';
import { DocumentId, Metadata, Namespace, Priority } from '../model/ids.ts';
import { Job } from '../model/job.ts';
import { GitSource, S3Source, TextSource, UrlSource } from '../model/source.ts';
import { defineEndpoint } from './endpoint.ts';

export const maxBatchItems = 1000;

const Title = z.string().trim().min(1).max(1000);
const Options = z.record(z.string().max(200), z.unknown());
/** Whether the address may be called is checked apart, and again before each call. */
export const CallbackUrl = z
  .url({ protocol: /^https?$/ })
  .max(4096)
  .describe('Gets the Job when it has ended.');

const RequestS3Source = S3Source.strict()
  .refine(({ key, prefix }) => (key === undefined) !== (prefix === undefined), 'needs either key or prefix')
  .meta({ override: { oneOf: [{ required: ['key'] }, { required: ['prefix'] }] } });

/** An address is kept with its document and shown in places where no password belongs, and no fetch would use it. */
const withoutLogin = z.refine<string>((address) => {
  // What is no address at all has its own fault.
  const { username, password } = URL.canParse(address) ? new URL(address) : { username: '', password: '' };
  return username === '' && password === '';
}, 'has a user name or password; use an address that needs neither');

/** As a request may write a source: a misspelt member is a fault, not silence. */
const RequestSource = z
  .discriminatedUnion('type', [
    TextSource.strict(),
    UrlSource.strict().extend({ url: UrlSource.shape.url.check(withoutLogin) }),
    GitSource.strict().extend({ url: GitSource.shape.url.check(withoutLogin) }),
    RequestS3Source,
  ])
  .meta({ id: 'IngestSource' });

const described = {
  documentId: DocumentId.optional().describe('Made up unless given; of a document that is there: a new version.'),
  namespace: Namespace.default('default'),
  title: Title.optional().describe("The document's own unless given."),
  priority: Priority.default('normal').describe('Orders each queue.'),
  callbackUrl: CallbackUrl.optional(),
};

export const IngestRequest = z
  .strictObject({ source: RequestSource, ...described, metadata: Metadata.prefault({}), options: Options.default({}) })
  .meta({ id: 'IngestRequest' });
export type IngestRequest = z.infer<typeof IngestRequest>;

/** JSON in a form field. */
const jsonField = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text, context): unknown => {
      const fault = jsonShapeFault(text);
      if (fault !== undefined) {
        context.addIssue({ code: 'custom', message: fault });
        return z.NEVER;
      }
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: 'custom', message: 'is not JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);

export const IngestFields = z
  .strictObject({
    ...described,
    metadata: jsonField(Metadata).optional().meta({ description: 'JSON object.' }),
    options: jsonField(Options).optional().meta({ description: 'JSON object.' }),
  })
  .meta({ id: 'IngestFields', description: 'The fields that stand beside the file.' });
export type IngestFields = z.infer<typeof IngestFields>;

export const IngestBatchRequest = z
  .strictObject({ items: z.array(z.unknown()).min(1, 'is empty').max(maxBatchItems, `has more than ${maxBatchItems}`) })
  .meta({
    id: 'IngestBatchRequest',
    description: 'Items are checked one by one: a bad one becomes a failed job and the others go on.',
  });

export const IngestBatchFields = IngestFields.omit({ documentId: true, title: true }).meta({
  id: 'IngestBatchFields',
  description:
    'A field counts for every file of the batch; ids and titles belong to one document and are not among them.',
});
export type IngestBatchFields = z.infer<typeof IngestBatchFields>;

export const BatchAccepted = z.object({ batchId: z.string(), jobs: z.array(Job) }).meta({ id: 'BatchAccepted' });

const IngestHeaders = z.object({
  'idempotency-key': z
    .string()
    .trim()
    .min(1)
    .max(255)
    .optional()
    .meta({ description: 'The same key and request give the first answer again, for at least 24 hours.' }),
});

export const ingest = defineEndpoint({
  id: 'ingest',
  method: 'post',
  path: '/ingest',
  scopes: ['memory:write'],
  uses: ['bytes', 'pages', 'tokens'],
  tag: 'ingest',
  summary: 'Take in a document',
  description:
    'A file as multipart, or a source as JSON. Once 202 is answered the document is stored durably. What the bytes ' +
    'hold never fails the request: the job says how it went. The same documentId again is a new version. ' +
    'With `dryRun=true` the document is read and forgotten: 200 and what ingesting it would come to, or the fault that ' +
    'its job would end with.',
  headers: IngestHeaders,
  query: z.strictObject({
    dryRun: z.enum(['true', 'false']).optional().describe('Say what would happen, and store nothing.'),
  }),
  body: IngestRequest,
  multipart: { fields: IngestFields, file: 'file', files: 'one' },
  responses: {
    200: { description: 'Of a dry run: what would happen.', schema: DryRun },
    202: { description: 'Accepted.', schema: Job, headers: { Location: 'Where the job is.' } },
  },
  errors: [
    ...(['conflict', 'request_too_large', 'unsupported_media_type', 'unprocessable'] as const),
    // Of a document, where the run is dry.
    ...(['unsupported_type', 'too_large', 'empty_document', 'encrypted_document', 'corrupt_document'] as const),
    ...(['too_many_pages', 'limits_exceeded', 'fetch_failed', 'fetch_forbidden', 'poison_document'] as const),
  ],
  examples: [
    {
      summary: 'A text',
      request: {
        source: { type: 'text', text: '# Tides\n\nThe moon raises two tides a day.', mediaType: 'text/markdown' },
      },
    },
    { summary: 'A web page', request: { source: { type: 'url', url: 'https://example.com/' }, namespace: 'web' } },
    {
      summary: 'All below a folder of a bucket',
      request: { source: { type: 's3', bucket: 'reports', prefix: '2026/' }, documentId: 'reports' },
    },
  ],
});

export const ingestBatch = defineEndpoint({
  id: 'ingestBatch',
  method: 'post',
  path: '/ingest/batch',
  scopes: ['memory:write'],
  uses: ['bytes', 'pages', 'tokens'],
  tag: 'ingest',
  summary: 'Take in many documents',
  description: 'Each item stands alone: a bad one is a failed job, the others go on.',
  headers: z.object({}),
  body: IngestBatchRequest,
  multipart: { fields: IngestBatchFields, file: 'file', files: 'many' },
  responses: { 202: { description: 'Accepted.', schema: BatchAccepted } },
  errors: ['request_too_large', 'unsupported_media_type'],
  examples: [
    {
      summary: 'Two texts',
      request: {
        items: [
          { source: { type: 'text', text: 'First.' }, documentId: 'first' },
          { source: { type: 'text', text: 'Second.' }, documentId: 'second' },
        ],
      },
    },
  ],
});
