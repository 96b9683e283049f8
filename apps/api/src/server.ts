import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { toHttpError } from './errors.ts';
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

/** How long connections are waited for, in milliseconds. */
export interface ConnectionLimits {
  /** A slow sender of headers holds a connection, and nothing else, for so long. */
  readonly headersMs: number;
  /** The whole request. By default 100 MB at a megabit a second, and a little. */
  readonly requestMs: number;
  /** No byte either way; streams of events send a heartbeat well before. */
  readonly silentMs: number;
  /** Between requests. Longer than a load balancer in front keeps its side, or it would send into a connection that is closing. */
  readonly keepAliveMs: number;
  /** How often the first two are looked at. */
  readonly checkMs: number;
}

const defaultLimits: ConnectionLimits = {
  headersMs: 30 * second,
  requestMs: 900 * second,
  silentMs: 120 * second,
  keepAliveMs: 75 * second,
  checkMs: 5 * second,
};

/** Listens; rejects where the port is taken. Port 0 takes a free one. */
export async function startServer(
  app: RequestListener,
  lifecycle: Lifecycle,
  address: { readonly host: string; readonly port: number },
  limits: ConnectionLimits = defaultLimits,
): Promise<ApiServer> {
  const server = createServer({ connectionsCheckingInterval: limits.checkMs }, app);
  server.headersTimeout = limits.headersMs;
  server.requestTimeout = limits.requestMs;
  server.timeout = limits.silentMs;
  server.keepAliveTimeout = limits.keepAliveMs;
  const answers = new WeakMap<Duplex, ServerResponse>();
  server.on('request', (request, response) => answers.set(request.socket, response));
  server.on('clientError', (error, socket) => answerBrokenRequest(error, socket, answers.get(socket)));
  const unused = watchUnused(server);
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
      await closeServer(server, unused, graceMs);
    },
  };
}

/** A connection whose request began before the end is kept alive by its answer: it is idle then, and must be looked for. */
const lookForIdleMs = 25;
/** A connection on which nothing ever came: a request may be on its way for so long. */
const unusedGraceMs = second;

async function closeServer(server: Server, unused: ReadonlySet<Duplex>, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const sweep = setInterval(() => server.closeIdleConnections(), lookForIdleMs);
  // To Node these are active until their headers time out; browsers and balancers open such in advance.
  const abandon = setTimeout(() => {
    for (const socket of unused) socket.destroy();
  }, unusedGraceMs);
  const late = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(abandon);
  clearTimeout(late);
}

/** The connections on which nothing has come yet. */
function watchUnused(server: Server): ReadonlySet<Duplex> {
  const unused = new Set<Duplex>();
  server.on('connection', (socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  server.on('request', (request) => unused.delete(request.socket));
  return unused;
}

/**
 * Answers what never became a request, in the words of every other error.
 * https://nodejs.org/api/http.html#event-clienterror
 */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex, last: ServerResponse | undefined): void {
  const answering = last !== undefined && !last.writableFinished;
  if (answering && last.req.complete && socket.writable) {
    // What came after a whole request is broken: that one is answered, and nothing after it.
    if (!last.headersSent) last.setHeader('connection', 'close');
    last.once('close', () => socket.destroy());
    return;
  }
  // Where an answer is under way already, another one would be read as part of it.
  if (error.code === 'ECONNRESET' || !socket.writable || (answering && last.headersSent)) {
    socket.destroy();
    return;
  }
  const { statusLine, message } = brokenRequest(error.code);
  const body = JSON.stringify(toHttpError(new MemoryError('invalid_request', message), randomUUID()).body);
  const head = [
    `HTTP/1.1 ${statusLine}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function brokenRequest(code: string | undefined): { statusLine: string; message: string } {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { statusLine: '408 Request Timeout', message: 'The request did not come in time.' };
    case 'HPE_HEADER_OVERFLOW':
      return { statusLine: '431 Request Header Fields Too Large', message: 'The headers are too large.' };
    default:
      return { statusLine: '400 Bad Request', message: 'The request is not valid HTTP.' };
  }
}
