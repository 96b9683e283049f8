import { expect, test } from '@jest/globals';
import { createSerializer } from './serializer.ts';

test('runs the tasks of one name in order, one at a time, also after one has failed', async () => {
  const serialized = createSerializer();
  const log: string[] = [];
  const task =
    (name: string, fails = false) =>
    async () => {
      log.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    };
  const results = await Promise.allSettled([
    serialized('x', task('1')),
    serialized('x', task('2', true)),
    serialized('x', task('3')),
  ]);
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(log).toEqual(['1 begins', '1 ends', '2 begins', '2 ends', '3 begins', '3 ends']);
});

test('runs tasks of different names at the same time', async () => {
  const serialized = createSerializer();
  let release = () => {};
  const held = serialized(
    'x',
    () =>
      new Promise<void>((resolve) => {
        release = resolve;
      }),
  );
  expect(await serialized('y', async () => 'done')).toBe('done');
  release();
  await held;
});
