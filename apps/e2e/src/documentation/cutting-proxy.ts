import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';

export interface CuttingProxy {
  readonly url: string;
  /** How many connections it has broken. */
  cuts(): number;
  close(): Promise<void>;
}

/**
 * Passes requests on, and breaks the connection of the first answer in which `word` comes, at the end of that event.
 */
export async function startCuttingProxy(target: string, word: string): Promise<CuttingProxy> {
  let cuts = 0;
  const server = createServer(async (request, response) => {
    const body = request.method === 'POST' ? Readable.toWeb(request) : null;
    const { authorization = '', ...others } = request.headers;
    const headers: Record<string, string> = { authorization };
    for (const name of ['content-type', 'last-event-id']) if (others[name]) headers[name] = String(others[name]);
    const init = { method: request.method ?? 'GET', headers, body, duplex: 'half' } as RequestInit;
    const answer = await fetch(`${target}${request.url}`, init);
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    const decoder = new TextDecoder();
    for await (const piece of answer.body ?? []) {
      const text = decoder.decode(piece, { stream: true });
      const at = cuts === 0 ? text.indexOf(word) : -1;
      const passed = at === -1 ? text : text.slice(0, text.indexOf('\n\n', at) + 2);
      await new Promise<void>((resolve) => response.write(passed, () => resolve()));
      if (at === -1) continue;
      cuts += 1;
      response.destroy();
      return;
    }
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: () => cuts,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
