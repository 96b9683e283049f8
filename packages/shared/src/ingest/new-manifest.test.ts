import { expect, test } from '@jest/globals';
import type { Manifest } from '../contracts/model/manifest.ts';
import type { StoredSource } from '../contracts/model/source.ts';
import { nameOf } from './new-manifest.ts';

test.each<[StoredSource, string]>([
  [{ type: 'upload', filename: 'tides.txt' }, 'tides.txt'],
  [{ type: 'upload' }, 'the-id'],
  [{ type: 's3', bucket: 'reports', key: '2026/may.pdf' }, 'may.pdf'],
  [{ type: 's3', bucket: 'reports', key: '2026/may/' }, 'may'],
  [{ type: 's3', bucket: 'reports', key: '//' }, 'the-id'],
  [{ type: 's3', bucket: 'reports', prefix: '2026/' }, 'the-id'],
  [{ type: 'git', url: 'https://example.org/library.git' }, 'the-id'],
])('what comes from %j without a title is called %s', (source, name) => {
  const manifest: Omit<Manifest, 'source'> = {
    schemaVersion: 1,
    tenant: 'acme',
    namespace: 'default',
    documentId: 'the-id',
    version: 1,
    jobId: 'job_1',
    metadata: {},
    priority: 'normal',
    options: {},
    embeddingModel: 'm',
    createdAt: '',
  };
  expect(nameOf({ ...manifest, source })).toBe(name);
});
