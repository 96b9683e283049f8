import { expect, test } from '@jest/globals';
import { jobRegistry } from './jobs.ts';

test('whoever asks for what is old to be forgotten, it is one job, and no other one', () => {
  const { expire, reconcile } = jobRegistry;
  const asked = [1, 2].map(() => expire.dedupeId(expire.payload.parse({ schemaVersion: 1 })));
  expect(new Set(asked).size).toBe(1);
  expect(asked).not.toContain(reconcile.dedupeId(reconcile.payload.parse({ schemaVersion: 1, reason: 'expire' })));
});
