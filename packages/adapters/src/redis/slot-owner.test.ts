import { once } from 'node:events';
import { createServer as createPlainServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Metrics } from '@semantic-memory/shared/ports/metrics';
import { cacheSuite } from '@semantic-memory/shared/testing/cache-suite';
import { silentLogger } from '@semantic-memory/shared/testing/in-memory-flow';
import { jobQueueSuite, parseJobFor } from '@semantic-memory/shared/testing/job-queue-suite';
import { acceptActive, freshScope } from '@semantic-memory/shared/testing/ledger-fixtures';
import { ledgerSuite } from '@semantic-memory/shared/testing/ledger-suite';
import { lexicalIndexSuite } from '@semantic-memory/shared/testing/lexical-index-suite';
import { Redis } from 'ioredis';
import { createBullmqQueue } from '../bullmq/job-queue.ts';
import { startTierWorker } from '../bullmq/tier-worker.ts';
import { createTieredCache } from '../cache/tiered-cache.ts';
import { createRedisAnswerLog } from './answer-log.ts';
import { createRedisLedger } from './ledger.ts';
import { createRedisLexicalIndex } from './lexical-index.ts';
import { createRedisQuotas } from './quotas.ts';
import { redisAddress } from './slot-owner.ts';
import { startRedisCluster, startRedisNodes } from './testing/redis-cluster.ts';

// A real cluster of six servers is formed, and loses some.
jest.setTimeout(60_000);

test('the address of a single server is left as it is', () => {
  const url = 'rediss://user:secret@redis.example:6380/2';
  expect(redisAddress(url, 'semantic-memory')).toEqual({ url, options: {} });
});

const cluster = await startRedisCluster();

if ('missing' in cluster) {
  process.stderr.write(`skipped: tool missing: ${cluster.missing}\n`);
  test.skip(`skipped: tool missing: ${cluster.missing}`, () => {});
} else {
  const { url } = cluster;
  const prefix = '{semantic-memory}';
  const metrics = new Proxy({} as Metrics, { get: () => () => {} });
  const options = { url, prefix, logger: silentLogger };
  const ledger = createRedisLedger(options);
  const lexical = createRedisLexicalIndex(options);
  const cache = createTieredCache({ ...options, localBytes: 1e6, sharedBytes: 1e6, metrics });
  const answers = createRedisAnswerLog(options);
  const quotas = createRedisQuotas({ ...options, limits: { requests: { amount: 1, periodMs: 60_000 } } });
  const queues: ReturnType<typeof createBullmqQueue>[] = [];
  const workers: ReturnType<typeof startTierWorker>[] = [];
  const createQueue = (tag = `{queue-${queues.length}}`) => {
    const queue = createBullmqQueue({ url, prefix: tag, logger: silentLogger });
    queues.push(queue);
    return queue;
  };

  beforeAll(() => ledger.rebuildOnce(async () => {}));
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.close(1000)));
    await Promise.all([ledger, lexical, cache, answers, quotas, ...queues].map((each) => each.close()));
    await cluster.stop();
  });

  ledgerSuite('the ledger in a cluster', () => ledger);
  lexicalIndexSuite('the lexical index in a cluster', () => ({ lexical, ledger }));
  cacheSuite('the cache in a cluster', () => cache);
  jobQueueSuite('the queue in a cluster', createQueue);

  test('installations lie on the nodes that their hash tags choose, whichever node the address names', async () => {
    const ports = new Set<number>();
    for (let at = 0; ports.size < 3; at += 1) {
      const tag = `{installation-${at}}`;
      const other = createRedisLedger({ ...options, prefix: tag });
      await eventually(() => other.rebuildOnce(async () => {}));
      ports.add((await cluster.ownerOf(tag)).port);
      await other.close();
    }
  });

  test('answers that are streamed and quotas work as with one server', async () => {
    await answers.begin('a-tenant', 'an-answer', { documents: { d: 1 }, entry: 'first' });
    expect(await answers.append('a-tenant', 'an-answer', 1, ['last'], { ended: true })).toBe(true);
    expect(await answers.read('a-tenant', 'an-answer', 0)).toMatchObject({ entries: ['first', 'last'], ended: true });
    await answers.forgetDocument('a-tenant', 'd');
    expect(await answers.read('a-tenant', 'an-answer', 0)).toBeUndefined();
    await quotas.take('a-tenant', { requests: 1 });
    await expect(quotas.take('a-tenant', { requests: 1 })).rejects.toMatchObject({ code: 'rate_limited' });
  });

  test('where the slot moves to the replica, the service goes after it and jobs go on', async () => {
    const scope = freshScope();
    await acceptActive(ledger, scope, 'before');
    const { queue, done } = startWorking();
    await cluster.handOver(prefix);
    // What meets the move is told that Redis is away.
    await eventually(() => succeeds(() => acceptActive(ledger, scope, 'after')));
    expect(await ledger.getDocument(scope.tenant, 'before')).toBeDefined();
    await eventually(() => succeeds(() => queue.add([parseJobFor()])));
    await eventually(() => done() === 1);
  });

  test('where the node with the keys dies its replica is found, and jobs that came before and after are done', async () => {
    const { queue, done } = startWorking();
    await queue.add([parseJobFor()]);
    await eventually(() => done() === 1);
    const scope = freshScope();
    await acceptActive(ledger, scope, 'before');
    // Replication is asynchronous: what is asked about below has arrived by then.
    await delay(500);
    const before = await cluster.ownerOf(prefix);
    process.kill(before.pid, 'SIGKILL');
    await eventually(async () => (await cluster.ownerOf(prefix)).port !== before.port);
    await eventually(() => succeeds(() => acceptActive(ledger, scope, 'after')));
    expect(await ledger.getDocument(scope.tenant, 'before')).toBeDefined();
    await eventually(() => succeeds(() => queue.add([parseJobFor()])));
    await eventually(() => done() === 2);
  });

  test('who has no password is refused, and the nodes are asked with the one of the address', async () => {
    await cluster.configure('masterauth', 'secret');
    await cluster.configure('requirepass', 'secret');
    // The nodes leave out where they were asked.
    await cluster.configure('cluster-preferred-endpoint-type', 'unknown-endpoint');
    const own = { ...options, prefix: '{with-password}' };
    const refused = createRedisLedger(own);
    await expect(refused.isWhole()).rejects.toBeInstanceOf(Error);
    await refused.close();
    for (const user of ['', 'default']) {
      const ledgerOfUser = createRedisLedger({ ...own, url: url.replace('//', `//${user}:secret@`) });
      await eventually(() => succeeds(() => ledgerOfUser.isWhole()));
      await ledgerOfUser.close();
    }
    await cluster.configure('requirepass', '');
  });

  /** A worker, on the same node as the ledger. */
  function startWorking() {
    let handled = 0;
    const tag = `${prefix}:${queues.length}`;
    const worker = startTierWorker({
      ...{ url, prefix: tag, tier: 'parse', concurrency: 1, logger: silentLogger, metrics },
      handle: async () => {
        handled += 1;
      },
    });
    workers.push(worker);
    return { queue: createQueue(tag), done: () => handled };
  }
}

test('nodes that are no cluster yet are an outage', async () => {
  const started = await startRedisNodes(1);
  // Said above.
  if ('missing' in started) return;
  const ledger = createRedisLedger({
    url: `redis+cluster://127.0.0.1:${started.nodes[0]?.port}`,
    prefix: '{nowhere}',
    logger: silentLogger,
  });
  await expect(ledger.isWhole()).rejects.toMatchObject({ code: 'dependency_unavailable' });
  await ledger.close();
  await started.stop();
});

test('nodes that speak TLS are asked and used over TLS', async () => {
  const secret = { identity: 'a-node', psk: Buffer.from('0123456789abcdef') };
  const server = createServer({ ciphers: 'PSK', maxVersion: 'TLSv1.2', pskCallback: () => secret.psk }, (socket) =>
    socket.on('data', () => socket.write('-ERR This instance has cluster support disabled\r\n')).on('error', () => {}),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const { Connector } = redisAddress('rediss+cluster://127.0.0.1', '{x}').options;
  if (!Connector) throw new Error('no connector for a cluster');
  const tls = {
    ...{ ciphers: 'PSK', maxVersion: 'TLSv1.2', checkServerIdentity: () => undefined },
    pskCallback: () => secret,
  };
  const connector = new Connector({ host: '127.0.0.1', port, tls, disconnectTimeout: 100 });
  const stream = await connector.connect(() => {});
  await once(stream, 'secureConnect');
  connector.disconnect();
  server.close();
});

test('a node that tells no longer who has the keys is not taken for their owner, and is asked until it tells again', async () => {
  let tells = true;
  const address = (port: number) => `*2\r\n$9\r\n127.0.0.1\r\n:${port}\r\n`;
  const reply = (command: string) => {
    if (/HELLO/i.test(command)) return "-ERR unknown command 'HELLO'\r\n";
    if (/KEYSLOT/i.test(command)) return ':7\r\n';
    // Itself, and a replica that is away.
    const slots = `*1\r\n*4\r\n:0\r\n:16383\r\n${address(port)}${address(1)}`;
    return /SLOTS/i.test(command) && tells ? slots : '-ERR not now\r\n';
  };
  const replies = (commands: string) =>
    commands
      .split(/\*\d+\r\n/)
      .slice(1)
      .map(reply)
      .join('');
  const sockets = new Set<Socket>();
  const server = createPlainServer((socket) => {
    sockets.add(socket);
    socket.on('data', (data) => socket.write(replies(data.toString()))).on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const { options: ofCluster } = redisAddress('redis+cluster://127.0.0.1', '{x}');
  const redis = new Redis({ ...ofCluster, port, enableReadyCheck: false, retryStrategy: () => 20 });
  await once(redis, 'ready');
  let wasReady = false;
  redis.on('ready', () => {
    wasReady = true;
  });
  tells = false;
  for (const socket of sockets) socket.destroy();
  for (let round = 0; round < 3; round += 1) {
    const [error] = (await once(redis, 'error')) as [Error];
    expect(error.message).toBe('No node of the cluster tells who has the keys.');
  }
  expect(wasReady).toBe(false);
  redis.on('error', () => {});
  tells = true;
  await eventually(() => wasReady);
  redis.disconnect();
  server.close();
});

test('a connection that is given up while its node is looked for is not made', async () => {
  const { Connector } = redisAddress('redis+cluster://127.0.0.1', '{x}').options;
  if (!Connector) throw new Error('no connector for a cluster');
  const connector = new Connector({ host: '127.0.0.1', port: 1, disconnectTimeout: 100 });
  const connected = connector.connect(() => {});
  connector.disconnect();
  await expect(connected).rejects.toThrow('Connection is closed.');
});

test('where no node of a cluster answers, the caller hears within seconds that Redis is away', async () => {
  const ledger = createRedisLedger({ url: 'redis+cluster://127.0.0.1:1', prefix: '{nowhere}' });
  await expect(ledger.isWhole()).rejects.toMatchObject({ code: 'dependency_unavailable' });
  await ledger.close();
});

test('a server that is no node of a cluster is used as the server that it is', async () => {
  const url = (process.env.TEST_REDIS_URL ?? '').replace('redis:', 'redis+cluster:');
  const ledger = createRedisLedger({ url, prefix: `{alone-${process.pid}}` });
  expect(await ledger.rebuildOnce(async () => {})).toBe(true);
  await ledger.close();
});

const succeeds = (call: () => Promise<unknown>): Promise<boolean> =>
  call().then(
    () => true,
    () => false,
  );

async function eventually(isSo: () => Promise<boolean> | boolean, withinMs = 30_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error('it never came to that');
    await delay(20);
  }
}
