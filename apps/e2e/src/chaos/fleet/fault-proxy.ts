import { connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/**
 * What a line does to those who speak over it.
 * - `pass`: nothing. - `latency`: each piece is late by so many ms, in both directions.
 * - `stall`: the other end has vanished without a word: connections stay open and nothing comes.
 * - `refuse`: new connections end at once, and those that are open are reset.
 * - `bandwidth`: so many bytes a second, in each direction.
 */
export type LineFault =
  | { readonly kind: 'pass' }
  | { readonly kind: 'latency'; readonly ms: number }
  | { readonly kind: 'stall' }
  | { readonly kind: 'refuse' }
  | { readonly kind: 'bandwidth'; readonly bytesPerSecond: number };

export interface FaultProxy {
  readonly port: number;
  /** From now on, for open connections too. */
  set(fault: LineFault): void;
  /** Breaks every open connection once, as a restarted router does. */
  reset(): void;
  close(): Promise<void>;
}

/** Between a client and a server on this machine. */
export async function startFaultProxy(targetPort: number): Promise<FaultProxy> {
  let fault: LineFault = { kind: 'pass' };
  const sockets = new Set<Socket>();
  /** Called whenever the line changes: what was held back goes on. */
  const waiting = new Set<() => void>();
  const changed = () =>
    new Promise<void>((resolve) => {
      waiting.add(resolve);
    });

  async function pass(piece: Buffer): Promise<void> {
    while (fault.kind === 'stall') await changed();
    if (fault.kind === 'latency') await pause(fault.ms);
    if (fault.kind === 'bandwidth') await pause((piece.length * 1000) / fault.bytesPerSecond);
  }

  function join(from: Socket, to: Socket): void {
    const line = new Transform({
      transform(piece: Buffer, _encoding, done) {
        // Nothing to wait for is the common case, and must cost nothing.
        if (fault.kind === 'pass') done(null, piece);
        else void pass(piece).then(() => done(null, piece));
      },
    });
    from.pipe(line).pipe(to);
  }

  const server = createServer((client) => {
    if (fault.kind === 'refuse') {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    client.setNoDelay(true);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      // The end of one side is told to the other by what follows; only the event must have a listener.
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        // Where the line is dead the other end does not hear of it yet.
        if (fault.kind !== 'stall') other.destroy();
        else void changed().then(() => other.destroy());
      });
    }
    join(client, upstream);
    join(upstream, client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const reset = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    set(next) {
      fault = next;
      if (fault.kind === 'refuse') reset();
      const held = [...waiting];
      waiting.clear();
      for (const goOn of held) goOn();
    },
    reset,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        reset();
      }),
  };
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
