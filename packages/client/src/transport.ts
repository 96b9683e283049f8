import { deadline, delay } from './abort.ts';
import { ApiError, errorFromResponse } from './api-error.ts';

export interface TransportOptions {
  /** Where the service listens, such as `http://127.0.0.1:8080`. A trailing slash does no harm. */
  baseUrl: string;
  /** JWT of the caller; a function is asked before every request, so that a token can be renewed. */
  token?: string | (() => string | Promise<string>) | undefined;
  fetch?: typeof globalThis.fetch | undefined;
  /**
   * Limit of one request from its start to the end of its answer, files sent apart; for streams, of silence.
   * Default 120,000.
   */
  timeoutMs?: number | undefined;
  /** How often a request that may be repeated is repeated, apart from waiting for its idempotency key. Default 4. */
  maxRetries?: number | undefined;
  /** First wait before a repetition; doubles each time, up to 10 s. `Retry-After` counts where it is longer. Default 250. */
  retryDelayMs?: number | undefined;
}

/**
 * Which failures a request may be repeated after.
 * - `never`: it changes something and the server cannot tell a repetition from a second request.
 * - `refused`: only where the server said that it did nothing (429, 503).
 * - `always`: also after a lost connection: it only reads, or it carries an idempotency key.
 */
export type Repeat = 'never' | 'refused' | 'always';

export interface ApiRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** From the root of the service, such as `/api/v1/memory/stats`. */
  path: string;
  query?: object | undefined;
  json?: unknown;
  /** A form with its media type. */
  form?: Blob | undefined;
  headers?: Record<string, string>;
  /** Statuses beside 2xx that are answers, not failures. */
  accept?: readonly number[];
  repeat: Repeat;
  /** Added to the time limit: what a large body may take. */
  extraMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface Transport {
  /** Sends and reads the answer with `read` inside the time limit. */
  send<Answer>(request: ApiRequest, read: (response: Response) => Promise<Answer>): Promise<Answer>;
  /** Sends, hands back the open response, and ends it after `timeoutMs` of silence. Never repeats by itself. */
  open(request: ApiRequest): Promise<OpenStream>;
}

export interface OpenStream {
  readonly response: Response;
  /** Pieces of the body as they arrive: one or the other is read. Breaking off closes the connection. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** The same, decoded. */
  readonly text: AsyncIterable<string>;
}

const longestDelayMs = 10_000;
/** A server that asks for more patience than this is left to the caller. */
const longestRetryAfterMs = 60_000;
/** Longer than a server holds a key whose request died (`IDEMPOTENCY_TIMEOUT_MS`, 60 s unless set). */
const longestHeldMs = 90_000;

export function createTransport(options: TransportOptions): Transport {
  const baseUrl = options.baseUrl.replace(/\/+$/, '');
  // Bound: a browser's fetch refuses to be called as the method of another object.
  const fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  const timeoutMs = options.timeoutMs ?? 120_000;
  const maxRetries = options.maxRetries ?? 4;
  const retryDelayMs = options.retryDelayMs ?? 250;

  const dispatch = async (request: ApiRequest, signal: AbortSignal): Promise<Response> => {
    const headers: Record<string, string> = { accept: 'application/json', ...request.headers };
    const token = await currentToken(options.token);
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (request.json !== undefined) headers['content-type'] = 'application/json';
    const body = request.form ?? (request.json === undefined ? null : JSON.stringify(request.json));
    const url = `${baseUrl}${request.path}${queryString(request.query)}`;
    const response = await fetch(url, { method: request.method, headers, body, signal });
    if (response.ok || request.accept?.includes(response.status)) return response;
    throw await errorFromResponse(response, url);
  };

  const explain = (thrown: unknown, { signal, extraMs = 0 }: ApiRequest, expired: boolean): unknown => {
    if (thrown instanceof ApiError) return thrown;
    if (expired) {
      const message = `${baseUrl} did not answer within ${timeoutMs + extraMs} ms.`;
      return new ApiError({ status: 0, code: 'timed_out', message, cause: thrown });
    }
    if (signal?.aborted) return signal.reason;
    if (isUnreadable(thrown)) {
      const message = 'The file was changed or removed while it was sent.';
      return new ApiError({ status: 0, code: 'unreadable_file', message, hint: 'Send it again.', cause: thrown });
    }
    const message = `No connection to ${baseUrl}: ${reasonOf(thrown)}.`;
    const hint = 'Check the address, and that the service runs.';
    return new ApiError({ status: 0, code: 'unreachable', message, hint, cause: thrown });
  };

  const attempt = async <Answer>(request: ApiRequest, read: (response: Response) => Promise<Answer>) => {
    const limit = deadline(timeoutMs + (request.extraMs ?? 0), request.signal);
    try {
      return await read(await dispatch(request, limit.signal));
    } catch (thrown) {
      throw explain(thrown, request, limit.expired);
    } finally {
      limit.stop();
    }
  };

  return {
    async send(request, read) {
      const startedAt = performance.now();
      for (let retries = 0; ; retries += 1) {
        try {
          return await attempt(request, read);
        } catch (thrown) {
          if (!(thrown instanceof ApiError)) throw thrown;
          const held = retries > 0 && isKeyHeld(thrown, request);
          const spent = held ? performance.now() - startedAt > longestHeldMs : retries >= maxRetries;
          if (spent || !(held || mayRepeat(thrown, request))) throw thrown;
          const backoffMs = Math.min(retryDelayMs * 2 ** retries, longestDelayMs);
          await delay(Math.max(backoffMs, thrown.retryAfterMs ?? 0), request.signal);
        }
      }
    },

    async open(request) {
      const limit = deadline(timeoutMs, request.signal);
      try {
        const response = await dispatch(request, limit.signal);
        const fail = (thrown: unknown) => explain(thrown, request, limit.expired);
        const bytes = readPieces(response, limit, fail);
        return { response, bytes, text: decoded(bytes) };
      } catch (thrown) {
        limit.stop();
        throw explain(thrown, request, limit.expired);
      }
    },
  };
}

async function* readPieces(
  response: Response,
  limit: ReturnType<typeof deadline>,
  explain: (thrown: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  try {
    while (reader) {
      limit.restart();
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
  } catch (thrown) {
    throw explain(thrown);
  } finally {
    limit.stop();
    // The connection may be gone already, which is what is wanted.
    await reader?.cancel().catch(() => undefined);
  }
}

async function* decoded(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const piece of bytes) yield decoder.decode(piece, { stream: true });
}

async function currentToken(given: TransportOptions['token']): Promise<string | undefined> {
  const fail = (message: string, cause?: unknown) =>
    new ApiError({ status: 0, code: 'unauthenticated', message, cause });
  let token = given;
  try {
    if (typeof token === 'function') token = await token();
  } catch (cause) {
    throw fail(`No token could be had: ${reasonOf(cause)}`, cause);
  }
  // fetch would repeat one that no header can hold in its error.
  if (token === undefined || /^[\x21-\x7e]*$/.test(token)) return token;
  throw fail('The token has a space, a line break or another character that no token has.');
}

/**
 * An earlier try may still be at work behind a connection that was lost, or have died with its server: the key is given
 * to another when the server is sure of it.
 */
function isKeyHeld({ status, retryAfterMs }: ApiError, { headers }: ApiRequest): boolean {
  return status === 409 && retryAfterMs !== undefined && headers?.['idempotency-key'] !== undefined;
}

function mayRepeat(error: ApiError, request: ApiRequest): boolean {
  if (request.repeat === 'never' || (error.retryAfterMs ?? 0) > longestRetryAfterMs) return false;
  if (error.status === 429 || error.status === 503) return true;
  if (request.repeat === 'refused') return false;
  return error.code === 'unreachable' || error.status === 502 || error.status === 504;
}

function queryString(query: object = {}): string {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(entries.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return text === '' ? '' : `?${text}`;
}

/** A blob of a file that is no longer what it was when it was opened. */
function isUnreadable(thrown: unknown): boolean {
  const { cause } = Object(thrown) as { cause?: unknown };
  return (Object(cause) as { name?: unknown }).name === 'NotReadableError';
}

/** fetch hides the reason (`ECONNREFUSED`, `UND_ERR_SOCKET`) in the cause of its `TypeError`. */
function reasonOf(thrown: unknown): string {
  // By shape and not by class: fetch may be another realm's.
  const { message, cause } = Object(thrown) as { message?: unknown; cause?: unknown };
  const inner = Object(cause) as { code?: unknown; message?: unknown };
  return String(inner.code ?? inner.message ?? message ?? thrown);
}
