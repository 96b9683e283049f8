import { createServer } from 'node:net';

/** Asks the system for a port that is free on 127.0.0.1 now. It can be lost again before it is used: check at the start. */
export async function freePort(): Promise<number> {
  const port = await listenOnce(0, '127.0.0.1');
  if (port === undefined) throw new Error('the system gave no free port on 127.0.0.1');
  return port;
}

/** Whether a server could listen on this port. Without a host: on all addresses, as the API does. */
export async function isPortFree(port: number, host?: string): Promise<boolean> {
  return (await listenOnce(port, host)) !== undefined;
}

/** Listens and lets go: the port, or undefined where it is taken. Other faults (no permission) are thrown. */
function listenOnce(port: number, host?: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
