import { z } from 'zod';
import { Namespace } from '../model/ids.ts';
import { Job } from '../model/job.ts';
import { defineEndpoint } from './endpoint.ts';

export const archiveType = 'application/x-tar';

export const adminExport = defineEndpoint({
  id: 'adminExport',
  method: 'get',
  path: '/admin/export',
  scopes: ['memory:admin'],
  tag: 'admin',
  summary: 'A namespace as an archive',
  description:
    'A tar with the active version of every document: original, manifest, extraction, chunks, vectors, its title and ' +
    'metadata as they are now, and checksums. It is made as it is read; one that broke off has no `end.json` and is ' +
    'refused by the import.',
  query: z.strictObject({ namespace: Namespace.default('default') }),
  responses: { 200: { description: 'The archive.', mediaType: archiveType } },
  errors: ['not_found'],
});

export const adminImport = defineEndpoint({
  id: 'adminImport',
  method: 'post',
  path: '/admin/import',
  scopes: ['memory:admin'],
  uses: ['bytes'],
  tag: 'admin',
  summary: 'Take in an exported namespace',
  description:
    'The archive as the body, or as the file of a form. The job checks all of it before it does anything, then takes in ' +
    'each document as a job of its own without embedding anything. A document that is there already gets a new version; ' +
    'one that is in another namespace fails the job. `namespace` is where it goes, the exported one unless given. The ' +
    "job's `documentId` is `namespace:` and that name.",
  query: z.strictObject({ namespace: Namespace.optional() }),
  upload: archiveType,
  multipart: { fields: z.strictObject({}), file: 'file', files: 'one' },
  responses: { 202: { description: 'Accepted.', schema: Job, headers: { Location: 'Where the job is.' } } },
  errors: ['conflict', 'request_too_large', 'unsupported_media_type', 'unprocessable'],
});
