import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedCall {
  readonly path: string;
  readonly delivery: string;
  readonly signature: string;
  readonly body: string;
}

/** A receiver of webhooks on this machine. */
export interface WebhookReceiver {
  /** `host:port` */
  readonly host: string;
  /** Every call, in order. */
  readonly calls: readonly ReceivedCall[];
  close(): Promise<void>;
}

/** @param answer says how the call with this index (of its path) is answered; never answering is an answer too */
export async function startReceiver(
  answer: (response: ServerResponse, index: number, path: string) => void,
): Promise<WebhookReceiver> {
  const calls: ReceivedCall[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const header = (name: string) => String(request.headers[name] ?? '');
    const path = request.url ?? '';
    const index = calls.filter((call) => call.path === path).length;
    calls.push({
      path,
      delivery: header('x-semantic-memory-delivery'),
      signature: header('x-semantic-memory-signature'),
      body: Buffer.concat(parts).toString(),
    });
    answer(response, index, path);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
