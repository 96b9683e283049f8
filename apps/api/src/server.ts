import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lifecycle } from './lifecycle.ts';

export interface ApiServer {
  /** The port that was taken. */
  readonly port: number;
  /**
   * Ends without refusing a request: says on `/health/ready` that it is ending, goes on for `drainMs`, then ends
   * streams, takes no more connections, and waits for what is under way, at most `graceMs`.
   */
  close(limits: { readonly drainMs: number; readonly graceMs: number }): Promise<void>;
}

const second = 1000;

/** Listens; rejects where the port is taken. Port 0 takes a free one. */
export async function startServer(
  app: RequestListener,
  lifecycle: Lifecycle,
  address: { readonly host: string; readonly port: number },
): Promise<ApiServer> {
  const server = createServer(app);
  // A slow sender of headers holds a connection, and nothing else, for so long.
  server.headersTimeout = 30 * second;
  // 100 MB at a megabit a second, and a little.
  server.requestTimeout = 900 * second;
  // No byte either way; streams of events send a heartbeat well before.
  server.timeout = 120 * second;
  // Longer than a load balancer in front keeps its side, or it would send into a connection that is closing.
  server.keepAliveTimeout = 75 * second;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close({ drainMs, graceMs }) {
      lifecycle.drain();
      await delay(drainMs);
      lifecycle.stop();
      await closeServer(server, graceMs);
    },
  };
}

/** A connection whose request began before the end is kept alive by its answer: it is idle then, and must be looked for. */
const lookForIdleMs = 25;

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const sweep = setInterval(() => server.closeIdleConnections(), lookForIdleMs);
  const late = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(late);
}
