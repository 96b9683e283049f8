import { afterEach, expect, test } from '@jest/globals';
import { closeRedis, openRedis, withRedis } from './connection.ts';
import { openRedisLink } from './testing/redis-link.ts';

const url = process.env.TEST_REDIS_URL ?? '';
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

test('a server that is there and takes nothing is waited for, and asked again each time', async () => {
  const redis = openRedis(url, { name: 'test', prefix: 'test' });
  closers.push(() => closeRedis(redis));
  const refuse = () =>
    redis.eval("return redis.error_reply('OOM command not allowed when used memory > maxmemory')", 0);
  // More often than a server may be silent before it is taken for away.
  for (let time = 1; time <= 5; time += 1) {
    await expect(withRedis(redis, refuse)).rejects.toMatchObject({
      code: 'dependency_unavailable',
      message: 'Redis takes nothing at the moment.',
      retry: { kind: 'wait' },
    });
  }
  expect(await withRedis(redis, () => redis.echo('there'))).toBe('there');
});

test('a command that the server refuses for itself is a fault of ours', async () => {
  const redis = openRedis(url, { name: 'test', prefix: 'test' });
  closers.push(() => closeRedis(redis));
  const refused = withRedis(redis, () => redis.call('NO-SUCH-COMMAND'));
  await expect(refused).rejects.toMatchObject({ code: 'internal' });
});

test('who waits for a connection that is closed meanwhile is told at once, and so is who comes later', async () => {
  // Port 1 of this machine answers nobody.
  const redis = openRedis('redis://127.0.0.1:1', { name: 'test', prefix: 'test' });
  const waiting = withRedis(redis, () => redis.echo(''));
  await closeRedis(redis);
  const closed = { code: 'dependency_unavailable', cause: { message: 'The connection to Redis is closed.' } };
  await expect(waiting).rejects.toMatchObject(closed);
  await expect(withRedis(redis, () => redis.echo(''))).rejects.toMatchObject(closed);
});

test('a connection that breaks while it takes its leave is closed all the same', async () => {
  const link = await openRedisLink(url);
  closers.push(() => link.close());
  const redis = openRedis(link.url, { name: 'test', prefix: 'test' });
  await withRedis(redis, () => redis.echo(''));
  link.freeze();
  const ended = new Promise((resolve) => redis.once('end', resolve));
  const closed = closeRedis(redis);
  link.cut();
  await Promise.all([closed, ended]);
  expect(redis.status).toBe('end');
});
