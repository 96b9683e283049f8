import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { type Changes, createChangeSignals } from './change-signals.ts';
import { closeRedis, openRedis, withRedis } from './connection.ts';
import { openRedisLink } from './testing/redis-link.ts';

const url = process.env.TEST_REDIS_URL ?? '';
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

let benches = 0;
/** Signals over a link that can fail, and a connection that always works. */
async function createBench() {
  benches += 1;
  const link = await openRedisLink(url);
  const [watcher, direct] = [
    openRedis(link.url, { name: 'watch', prefix: 'test' }),
    openRedis(url, { name: 'test', prefix: 'test' }),
  ];
  const signals = createChangeSignals(() => watcher);
  closers.push(
    () => link.close(),
    () => closeRedis(direct),
    () => signals.close(),
  );
  await withRedis(watcher, (redis) => redis.echo(''));
  const publish = (channel: string) => withRedis(direct, (redis) => redis.publish(channel, ''));
  return { link, watcher, signals, publish, channel: `signals-test-${process.pid}-${benches}` };
}

const never = new AbortController().signal;

async function untilListening(listen: () => Promise<Changes>): Promise<Changes> {
  for (;;) {
    try {
      return await listen();
    } catch (error) {
      expect(error).toMatchObject({ code: 'dependency_unavailable' });
    }
  }
}
const away = (redis: Redis) => once(redis, 'close');

test('what is published wakes whoever listens to that channel, until they stop', async () => {
  const { watcher, signals, publish, channel } = await createBench();
  const [first, second] = [await signals.listen(channel), await signals.listen(channel)];
  const woken = Promise.all([first.next(never), second.next(never)]);
  await publish(channel);
  await woken;
  // What comes while nobody waits is not lost.
  const heard = once(watcher, 'message');
  await publish(channel);
  await heard;
  await Promise.all([first.next(never), second.next(never)]);
  first.stop();
  expect(await publish(channel)).toBe(1);
  await second.next(never);
  second.stop();
  while ((await publish(channel)) > 0);
});

test('a message that comes when nobody listens any more is passed over, also where a break swallowed that', async () => {
  const { link, watcher, signals, publish, channel } = await createBench();
  const changes = await signals.listen(channel);
  link.freeze();
  changes.stop();
  const heard = once(watcher, 'message');
  expect(await publish(channel)).toBe(1);
  expect(await heard).toEqual([channel, '']);
  const gone = away(watcher);
  link.cut();
  await gone;
  link.restore();
  const again = await signals.listen(`${channel}-again`);
  await publish(`${channel}-again`);
  await again.next(never);
  expect(await publish(channel)).toBe(0);
  again.stop();
});

test('what was left while the connection was away stays left, and who begins to listen then hears that it is', async () => {
  const { link, watcher, signals, publish, channel } = await createBench();
  const changes = await signals.listen(channel);
  const gone = away(watcher);
  link.cut();
  await gone;
  changes.stop();
  await expect(signals.listen(channel)).rejects.toMatchObject({ code: 'dependency_unavailable' });
  link.restore();
  const other = await untilListening(() => signals.listen(`${channel}-other`));
  expect(await publish(channel)).toBe(0);
  const again = await signals.listen(channel);
  await publish(channel);
  await again.next(never);
  again.stop();
  other.stop();
});

test('who leaves a channel while the connection is away, and listens again before it is back, hears', async () => {
  const { link, watcher, signals, publish, channel } = await createBench();
  const changes = await signals.listen(channel);
  const gone = away(watcher);
  link.cut();
  await gone;
  changes.stop();
  link.restore();
  const again = await untilListening(() => signals.listen(channel));
  expect(await publish(channel)).toBe(1);
  await again.next(never);
  again.stop();
});
