import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A web site of somebody who means ill. */
export interface AttackerSite {
  /** `host:port` */
  readonly host: string;
  /** Paths that were asked for, in order. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/**
 * Serves, on 127.0.0.1: `/to?ADDRESS`, which sends whoever comes on to there, and anything else as a text.
 * @param keySet what it gives as `/jwks.json`
 */
export async function startAttackerSite(keySet: readonly object[] = []): Promise<AttackerSite> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    if (path === '/jwks.json')
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: keySet }));
    else if (path.startsWith('/to?')) response.writeHead(302, { location: decodeURIComponent(path.slice(4)) }).end();
    else response.setHeader('content-type', 'text/plain').end('What is meant for the inside only.');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked, close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
