import { expect, test } from '@jest/globals';
import { silentLogger } from '../../testing/in-memory-flow.ts';
import { createInMemoryQueue } from '../../testing/in-memory-queue.ts';
import { askReconcile } from './ask-reconcile.ts';

test('a reconcile is asked for once for each reason, and a queue that is away is said to be', async () => {
  const queue = createInMemoryQueue();
  askReconcile(queue, silentLogger, 'index');
  askReconcile(queue, silentLogger, 'index');
  expect(queue.waiting).toMatchObject([{ name: 'reconcile', payload: { reason: 'index' } }]);
  queue.unavailable = true;
  const { promise, resolve } = Promise.withResolvers<unknown>();
  askReconcile(queue, { ...silentLogger, warn: (_message, fields) => resolve(fields) }, 'rebuilt');
  expect(await promise).toMatchObject({ reason: 'rebuilt', error: { code: 'dependency_unavailable' } });
  expect(queue.waiting).toHaveLength(1);
});
