import { expect, test } from '@jest/globals';
import { jobOf } from '../../testing/ledger-fixtures.ts';
import { jobView } from './job-view.ts';

const scope = { tenant: 'acme', namespace: 'default' };
const id = 'job_01J00000000000000000000000';
const other = 'job_01J00000000000000000000001';

test('a job leads to its document, and to the job and the batch that brought it', () => {
  const { links } = jobView(jobOf(scope, 'a b', 1, { id, parentJobId: other, batchId: 'batch_1' }));
  expect(links).toMatchObject({
    self: `/api/v1/memory/jobs/${id}`,
    document: '/api/v1/memory/documents/a%20b',
    parent: `/api/v1/memory/jobs/${other}`,
    batch: '/api/v1/memory/ingest/batches/batch_1',
  });
});

test.each(['git', 'import', 'reindex'])(
  'a job of %s has no document of its own, and nobody who brought it',
  (sourceType) => {
    const { links } = jobView(jobOf(scope, 'library', 1, { id, sourceType }));
    expect(Object.keys(links).toSorted()).toEqual(['cancel', 'events', 'retry', 'self']);
  },
);

test("nothing of a job is shown that is the service's own", () => {
  const shown = jobView(jobOf(scope, 'notes', 1, { id, deliveryId: 'del_1', batchId: 'batch_1' }));
  for (const name of ['tenant', 'run', 'priority', 'deliveryId', 'sourceType', 'batchId'])
    expect(shown).not.toHaveProperty(name);
});
