import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ChromaAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever Chroma says
  readonly body: any;
}

export interface OddChroma {
  readonly port: number;
  /** Answers a request; `ask` asks the real server. */
  answer: (request: IncomingMessage, ask: () => Promise<ChromaAnswer>) => ChromaAnswer | Promise<ChromaAnswer>;
  close(): Promise<void>;
}

export const chromaError = (status: number, error: string): ChromaAnswer => ({
  status,
  body: { error, message: 'as the test wants it' },
});

/** Stands before a real Chroma and may say something else than it. */
export async function startOddChroma(server: { readonly host: string; readonly port: number }): Promise<OddChroma> {
  const listener = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const { status, body } = await odd.answer(request, async () => {
      const answer = await fetch(`http://${server.host}:${server.port}${request.url}`, {
        method: request.method ?? 'GET',
        headers: { 'content-type': 'application/json' },
        ...(request.method === 'POST' ? { body: Buffer.concat(parts) } : {}),
      });
      return { status: answer.status, body: await answer.json() };
    });
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const odd: OddChroma = {
    port: (listener.address() as AddressInfo).port,
    answer: (_, ask) => ask(),
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        listener.closeAllConnections();
      }),
  };
  return odd;
}
