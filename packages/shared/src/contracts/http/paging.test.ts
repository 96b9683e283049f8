import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { listQuery } from './paging.ts';

const query = z.strictObject(listQuery);

test('a list goes on from what an answer gave', () => {
  expect(query.parse({})).toEqual({ limit: 50 });
  for (const cursor of ['2026-03-01T12:00:00.000Z|tides', '2026-03-01T12:00:00Z|job_1'])
    expect(query.parse({ cursor, limit: '2' })).toEqual({ cursor, limit: 2 });
});

test.each(['x', '2', '\u0000', '2026-03-01', '1.2', '|2026-03-01T12:00:00.000Z|'])('%j is no cursor', (cursor) => {
  const issues = query.safeParse({ cursor }).error?.issues;
  expect(issues).toMatchObject([{ path: ['cursor'], message: 'is not one of ours' }]);
});
