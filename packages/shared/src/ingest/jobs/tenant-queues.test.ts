import { expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import { createInMemoryFlow } from '../../testing/in-memory-flow.ts';
import { startStage, waitStage } from './job-record.ts';
import { tenantQueues } from './tenant-queues.ts';

test('a tenant sees in each tier what waits, runs, is held up and has failed, and nobody else of it', async () => {
  const flow = createInMemoryFlow();
  const at = new Date(flow.deps.clock.now()).toISOString();
  const text = 'The harbour is open.';
  const failed = await flow.ingest(text, { documentId: 'failed' });
  flow.faults.parse = new MemoryError('internal', 'The parser died.', { retry: { kind: 'never' } });
  await flow.drain();
  const running = await flow.ingest(text, { documentId: 'running' });
  const held = await flow.ingest(text, { documentId: 'held' });
  await flow.ingest(text, { documentId: 'waiting' });
  await flow.ingest(text, { documentId: 'other', tenant: 'umbrella' });
  await flow.ledger.updateJob('acme', running.id, (job) => startStage(job, 'parse', at));
  const away = { code: 'dependency_unavailable', message: 'It is away.' } as const;
  await flow.ledger.updateJob('acme', held.id, (job) => waitStage(job, 'parse', away, at));
  const queues = await tenantQueues(flow.ledger, 'acme', flow.deps.clock.now() + 60_000);
  const parse = queues.find(({ tier }) => tier === 'parse');
  expect(parse).toMatchObject({ waiting: 1, active: 1, delayed: 1, failed: 1 });
  expect(parse?.oldestWaitSeconds).toBeGreaterThanOrEqual(60);
  for (const other of queues.filter(({ tier }) => tier !== 'parse'))
    expect(other).toMatchObject({ waiting: 0, active: 0, delayed: 0, failed: 0, oldestWaitSeconds: 0 });
  expect(await flow.ledger.getJob('acme', failed.id)).toMatchObject({ state: 'failed' });
});
