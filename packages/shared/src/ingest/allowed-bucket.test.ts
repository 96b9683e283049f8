import { expect, test } from '@jest/globals';
import { assertAllowed } from './allowed-bucket.ts';

const rules = [
  { tenant: 'acme', bucket: 'reports', prefix: '' },
  { tenant: '*', bucket: 'shared', prefix: 'public/' },
];

test.each([
  ['acme', { bucket: 'reports', key: 'a' }],
  ['acme', { bucket: 'reports', prefix: '' }],
  ['other', { bucket: 'shared', key: 'public/a' }],
  ['other', { bucket: 'shared', prefix: 'public/2026' }],
])('%s may read %j', (tenant, source) => {
  assertAllowed(rules, tenant, source);
});

test.each([
  ['other', { bucket: 'reports', key: 'a' }],
  ['*', { bucket: 'reports', key: 'a' }],
  ['acme', { bucket: 'Reports', key: 'a' }],
  ['acme', { bucket: 'reports2', key: 'a' }],
  ['acme', { bucket: 'shared', key: 'private/a' }],
  ['acme', { bucket: 'shared', key: 'public' }],
  ['acme', { bucket: 'shared', prefix: '' }],
  ['acme', { bucket: 'shared', prefix: 'publi' }],
  ['acme', { bucket: 'shared' }],
])('%s may not read %j, and is told the same as of a bucket that is not there', (tenant, source) => {
  const refusal = (of: typeof source) => {
    try {
      assertAllowed(rules, tenant, of);
    } catch (error) {
      const { code, message, hint } = error as { code: string; message: string; hint: string };
      return { code, message, hint };
    }
    return undefined;
  };
  expect(refusal(source)).toMatchObject({ code: 'fetch_forbidden' });
  expect(refusal(source)).toEqual(refusal({ bucket: 'nowhere', key: 'a' }));
});
