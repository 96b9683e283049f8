import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands before a Redis and can keep what some of its callers say from it, as a connection does that is half open. */
export interface DeafGate {
  readonly url: string;
  /** From now on nothing goes through: `queue`: from BullMQ's workers; `all`: from anyone. New connections as well. */
  deafen(whom: 'queue' | 'all'): void;
  /** As before. What was held back arrives. */
  restore(): void;
  close(): Promise<void>;
}

/** The connections of our own adapters have names; those of BullMQ's workers have others or none. */
const ownName = /setname\r\n\$\d+\r\n(ledger|ledger-watch|queue)\r\n/i;

export async function openDeafGate(redisUrl: string): Promise<DeafGate> {
  const { hostname, port } = new URL(redisUrl);
  const sockets = new Set<Socket>();
  const flushes = new Set<() => void>();
  let deaf: 'queue' | 'all' | undefined;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    let isOwn = false;
    const held: Buffer[] = [];
    const flush = () => {
      for (const data of held.splice(0)) far.write(data);
    };
    flushes.add(flush);
    near.on('close', () => flushes.delete(flush));
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      // A side that breaks takes the other with it; which of them it was is of no interest here.
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    far.pipe(near);
    near.on('data', (data) => {
      isOwn ||= ownName.test(data.toString('latin1'));
      if (deaf === 'all' || (deaf === 'queue' && !isOwn)) held.push(data);
      else far.write(data);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    deafen(whom) {
      deaf = whom;
    },
    restore() {
      deaf = undefined;
      for (const flush of flushes) flush();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
