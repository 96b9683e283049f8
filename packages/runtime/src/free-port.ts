import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports that Linux (32768 and up) and macOS (49152 and up) give to outgoing connections and to whoever asks for
 * any: one of those could be taken by our own processes between the asking and the listening.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_767;
/** Tests that run at the same time are given ranges of their own in FREE_PORTS: claims are known to one process only. */
const rangeGiven = /^(\d+)-(\d+)$/;
/** So many taken ones in a row mean that something else is wrong. */
const TRIES = 1_000;

/** Who may listen there. */
const claims = new Map<number, string>();

/**
 * Claims a port that is free on 127.0.0.1 now, for `owner` or for nobody who asks again. Another program can still take it
 * before it is used: check at the start.
 */
export async function freePort(owner = ''): Promise<number> {
  const [, first = FIRST_PORT, last = LAST_PORT] = rangeGiven.exec(process.env.FREE_PORTS ?? '') ?? [];
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(Number(first), Number(last) + 1);
    if (!claims.has(port) && (await claimPort(port, owner, '127.0.0.1'))) return port;
  }
  throw new Error(`no free port on 127.0.0.1 between ${first} and ${last}`);
}

/**
 * Whether the port is free now, and not claimed by another owner in this process, whose server may not listen yet. Then
 * it is this owner's.
 */
export async function claimPort(port: number, owner: string, host?: string): Promise<boolean> {
  if ((claims.get(port) ?? owner) !== owner) return false;
  claims.set(port, owner);
  let free = false;
  try {
    free = await isPortFree(port, host);
  } finally {
    if (!free) claims.delete(port);
  }
  return free;
}

/** Whether a server could listen on this port. Without a host: on all addresses, as the API does. */
export function isPortFree(port: number, host?: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
