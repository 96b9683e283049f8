import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { WebFetcher } from '@semantic-memory/shared/ports/fetcher';
import type { Agent, Response } from 'undici';
import { createHostCheck, type HostCheckOptions, parseFetchUrl } from './checked-host.ts';
import { createPinnedAgent, orAborted } from './pinned-agent.ts';
import { filenameOf, mediaTypeOf } from './response-facts.ts';

export interface WebFetcherOptions extends HostCheckOptions {
  readonly userAgent?: string;
}

const maxRedirects = 5;

/**
 * Fetches documents from the public internet and from nowhere else. Every address, redirects included, is checked
 * before a connection is made, and the connection goes to the addresses that were checked: a name that is looked up
 * anew may lead elsewhere by then.
 */
export function createWebFetcher({ userAgent = 'semantic-memory', ...options }: WebFetcherOptions): WebFetcher {
  const checkHost = createHostCheck(options);

  return {
    async fetch(address, { maxBytes, timeoutMs }, signal) {
      const timeout = AbortSignal.timeout(timeoutMs);
      const ended = AbortSignal.any([signal, timeout]);
      const toError = (error: unknown) => fetchFailure(error, { signal, timeout, timeoutMs });
      const { fetch } = await import('undici');
      const { agent, pin } = await createPinnedAgent(timeoutMs);
      try {
        let url = parseFetchUrl(address);
        for (let redirects = 0; ; redirects += 1) {
          pin(await orAborted(checkHost(url), ended));
          const response = await fetch(url, {
            dispatcher: agent,
            redirect: 'manual',
            signal: ended,
            headers: { 'user-agent': userAgent, accept: '*/*' },
          });
          const location = redirectOf(response);
          if (location === undefined) {
            assertSuccess(response);
            assertLength(response, maxBytes);
            const mediaType = mediaTypeOf(response.headers.get('content-type'));
            const filename = filenameOf(response.headers.get('content-disposition'), url);
            return {
              body: limited(response, { maxBytes, agent, ended, toError }),
              ...(mediaType ? { mediaType } : {}),
              ...(filename ? { filename } : {}),
              finalUrl: url.href,
            };
          }
          if (redirects === maxRedirects) {
            throw new MemoryError('fetch_failed', `The address redirects more than ${maxRedirects} times.`);
          }
          await response.body?.cancel();
          url = parseFetchUrl(location, url.href);
        }
      } catch (error) {
        await agent.destroy();
        throw toError(error);
      }
    },
  };
}

const redirectStatuses = [301, 302, 303, 307, 308];

function redirectOf(response: Response): string | undefined {
  if (!redirectStatuses.includes(response.status)) return undefined;
  return response.headers.get('location') ?? undefined;
}

function assertSuccess(response: Response): void {
  if (response.ok) return;
  const { status } = response;
  // The others will say the same again.
  const passing = status >= 500 || status === 408 || status === 425 || status === 429;
  throw new MemoryError('fetch_failed', `The address answered with status ${status}.`, {
    retry: { kind: passing ? 'backoff' : 'never' },
  });
}

function assertLength(response: Response, maxBytes: number): void {
  const length = Number(response.headers.get('content-length') ?? 0);
  if (length > maxBytes) throw tooLarge(maxBytes);
}

/** The body, cut off with an error at the limit: what it inflates to counts, not what came over the wire. */
async function* limited(
  response: Response,
  context: { maxBytes: number; agent: Agent; ended: AbortSignal; toError: (error: unknown) => MemoryError },
): AsyncGenerator<Uint8Array> {
  const { maxBytes, agent, ended, toError } = context;
  try {
    ended.throwIfAborted();
    let bytes = 0;
    for await (const part of response.body ?? []) {
      bytes += part.byteLength;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      yield part;
    }
  } catch (error) {
    throw toError(error);
  } finally {
    await agent.destroy();
  }
}

const tooLarge = (maxBytes: number) =>
  new MemoryError('too_large', `The document at the address is larger than ${maxBytes} bytes.`, {
    details: { maxBytes },
  });

function fetchFailure(
  error: unknown,
  { signal, timeout, timeoutMs }: { signal: AbortSignal; timeout: AbortSignal; timeoutMs: number },
): MemoryError {
  if (signal.aborted) {
    if (signal.reason instanceof MemoryError) return signal.reason;
    return new MemoryError('cancelled', 'The download was cancelled.', { cause: error });
  }
  if (error instanceof MemoryError) return error;
  const message = timeout.aborted
    ? `The address did not deliver within ${timeoutMs / 1000} s.`
    : 'The address cannot be reached, or the connection broke.';
  return new MemoryError('fetch_failed', message, { retry: { kind: 'backoff' }, cause: error });
}
