import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to the test's Redis that can be cut or frozen, as a network or a server would. */
export interface RedisLink {
  readonly url: string;
  /** Breaks all connections and refuses new ones. */
  cut(): void;
  /** Keeps connections and passes nothing on, new ones included. */
  freeze(): void;
  /** As before. What a frozen link held back arrives. */
  restore(): void;
  close(): Promise<void>;
}

export async function openRedisLink(redisUrl: string): Promise<RedisLink> {
  const { hostname, port } = new URL(redisUrl);
  const pairs = new Set<[Socket, Socket]>();
  let state: 'open' | 'cut' | 'frozen' = 'open';
  const server = createServer((client) => {
    if (state === 'cut') return void client.destroy();
    const redis = connect(Number(port), hostname);
    const pair: [Socket, Socket] = [client, redis];
    pairs.add(pair);
    for (const [from, to] of [pair, [redis, client] as const]) {
      // Each end is torn down with the other; which of them failed is of no interest here.
      from.on('error', () => to.destroy());
      from.on('close', () => {
        pairs.delete(pair);
        to.destroy();
      });
      from.pipe(to);
    }
    if (state === 'frozen') client.pause();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      state = 'cut';
      for (const [client] of pairs) client.destroy();
    },
    freeze() {
      state = 'frozen';
      for (const [client] of pairs) client.pause();
    },
    restore() {
      state = 'open';
      for (const [client] of pairs) client.resume();
    },
    async close() {
      // Who comes until nobody can any more would hold the server.
      state = 'cut';
      for (const [client] of pairs) client.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
