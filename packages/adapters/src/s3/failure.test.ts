import { expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { isUndecided, s3Failure } from './failure.ts';

const said = (name: string, httpStatusCode?: number) =>
  Object.assign(new Error(name), { name, $metadata: httpStatusCode ? { httpStatusCode } : {} });

test.each([
  [said('NoSuchKey', 404), 'not_found', 'not in the blob store'],
  [said('PreconditionFailed'), 'conflict', 'a blob with this key'],
  [said('Odd', 412), 'conflict', 'a blob with this key'],
  [said('NoSuchBucket', 404), 'dependency_unavailable', 'bucket does not exist'],
  [said('AccessDenied', 403), 'dependency_unavailable', 'refuses the credentials'],
  [said('Odd', 401), 'dependency_unavailable', 'refuses the credentials'],
  [said('ExpiredToken', 400), 'dependency_unavailable', 'refuses the credentials'],
  [said('EntityTooLarge', 400), 'internal', 'refused a request'],
  [new TypeError('ours'), 'internal', 'refused a request'],
  [said('SlowDown', 503), 'dependency_unavailable', 'fewer requests'],
  [said('TooManyRequests', 429), 'dependency_unavailable', 'fewer requests'],
  [said('Odd', 507), 'dependency_unavailable', 'no room left'],
  [said('InternalError', 500), 'dependency_unavailable', 'reports a fault'],
  [said('MethodNotAllowed', 405), 'dependency_unavailable', 'reports a fault'],
  [said('ECONNREFUSED'), 'dependency_unavailable', 'cannot be reached'],
  // An answer that was no XML has the status of one that went well.
  [said('SyntaxError', 200), 'dependency_unavailable', 'cannot be reached'],
  [null, 'dependency_unavailable', 'cannot be reached'],
])('%s means %s: %s', (thrown, code, words) => {
  expect(s3Failure(thrown, false)).toMatchObject({ code, message: expect.stringContaining(words) });
});

test('what was given up is a server that is slow, whatever the library makes of it, and what was mapped stays', () => {
  expect(s3Failure(said('NoSuchKey', 404), true).message).toContain('did not answer in time');
  const mapped = new MemoryError('not_found', 'It is not there.');
  expect(s3Failure(mapped, true)).toBe(mapped);
});

test('a write that met another is told from one that came too late', () => {
  const undecided = s3Failure(said('ConditionalRequestConflict', 409), false);
  expect([isUndecided(undecided), isUndecided(s3Failure(said('PreconditionFailed', 412), false))]).toEqual([
    true,
    false,
  ]);
  expect(isUndecided(new MemoryError('internal', 'x'))).toBe(false);
});
