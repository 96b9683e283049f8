import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What is done to one request. */
export type Fault =
  /** The server gets it and acts on it; its answer never comes back. */
  | 'lose the answer'
  /** Nobody answers. */
  | 'hang'
  /** Half of the answer's body comes, then the connection breaks. */
  | 'cut the answer'
  /** Half of the answer's body comes, then nothing. */
  | 'stall the answer'
  /** The server is not asked, and said to have written. */
  | 'say it is written';

export interface FaultProxy {
  readonly endpoint: string;
  /** Decides about each request; undefined lets it pass. */
  fault: (request: IncomingMessage) => Fault | undefined;
  /** Method and path of what has come. */
  readonly seen: string[];
  close(): Promise<void>;
}

/** Stands before a real S3 server. The `Host` that was signed is passed on. */
export async function startFaultProxy(endpoint: string): Promise<FaultProxy> {
  const target = new URL(endpoint);
  const pass = (request: IncomingMessage, response: ServerResponse, fault: Fault | undefined) => {
    const { hostname, port } = target;
    const { method, url: path, headers } = request;
    const onward = httpRequest({ hostname, port, method, path, headers }, (answer) => {
      if (fault === 'lose the answer') {
        answer.resume().once('end', () => response.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      if (fault !== 'cut the answer' && fault !== 'stall the answer') {
        answer.pipe(response);
        return;
      }
      answer.once('data', (piece: Buffer) => {
        response.write(piece.subarray(0, piece.length / 2), () => {
          if (fault === 'cut the answer') response.destroy();
        });
      });
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  };
  const server = createServer((request, response) => {
    proxy.seen.push(`${request.method} ${request.url}`);
    const fault = proxy.fault(request);
    if (fault === 'hang') request.resume();
    else if (fault === 'say it is written') request.resume().once('end', () => response.end());
    else pass(request, response, fault);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: FaultProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fault: () => undefined,
    seen: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}
