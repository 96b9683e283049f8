import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { S3Settings } from '../bucket.ts';

export interface ScriptedAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** So long it takes. */
  readonly afterMs?: number;
}

export interface ScriptedServer {
  readonly settings: S3Settings;
  /** Decides about each request. */
  answer: (request: IncomingMessage) => ScriptedAnswer;
  /** Method and address of what has come. */
  readonly seen: string[];
  close(): Promise<void>;
}

/** What an S3 server says of a failed request. */
export const s3Error = (status: number, code: string): ScriptedAnswer => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>as scripted</Message></Error>`,
});

/** Speaks as an S3 server that says what a test wants to hear: other servers than the one at hand, and odd moments. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const server = createServer((request, response) => {
    scripted.seen.push(`${request.method} ${request.url}`);
    request.resume().once('end', () => {
      const { status, headers = {}, body = '', afterMs = 0 } = scripted.answer(request);
      setTimeout(() => response.writeHead(status, headers).end(request.method === 'HEAD' ? '' : body), afterMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const scripted: ScriptedServer = {
    settings: {
      ...{ bucket: 'b', prefix: '', region: 'us-east-1', forcePathStyle: true },
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    },
    answer: () => ({ status: 200 }),
    seen: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return scripted;
}
