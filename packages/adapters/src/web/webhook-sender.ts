import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { WebhookSender } from '@semantic-memory/shared/ports/webhook-sender';
import type { Response } from 'undici';
import { createHostCheck, type HostCheckOptions, parseFetchUrl } from './checked-host.ts';
import { createPinnedAgent, orAborted } from './pinned-agent.ts';

export interface WebhookSenderOptions extends HostCheckOptions {
  readonly userAgent?: string;
}

/**
 * Posts to addresses on the public internet and to nowhere else: the address is checked before each connection, which
 * goes to the addresses that were checked. A redirect is an answer like any other; following it would send what was
 * signed for one receiver to another.
 */
export function createWebhookSender({
  userAgent = 'semantic-memory',
  ...options
}: WebhookSenderOptions): WebhookSender {
  const checkHost = createHostCheck(options);

  return {
    async post(address, { headers, body }, timeoutMs, signal) {
      const timeout = AbortSignal.timeout(timeoutMs);
      const ended = AbortSignal.any([signal, timeout]);
      const { fetch } = await import('undici');
      const { agent, pin } = await createPinnedAgent(timeoutMs);
      try {
        const url = parseFetchUrl(address);
        pin(await orAborted(checkHost(url), ended));
        const response = await fetch(url, {
          method: 'POST',
          dispatcher: agent,
          redirect: 'manual',
          signal: ended,
          headers: { ...headers, 'user-agent': userAgent },
          body,
        });
        const retryAfterMs = retryAfterOf(response);
        return { status: response.status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
      } catch (error) {
        if (error instanceof MemoryError) throw error;
        const message = timeout.aborted
          ? `The receiver did not answer within ${timeoutMs / 1000} s.`
          : 'The receiver cannot be reached, or the connection broke.';
        throw new MemoryError('fetch_failed', message, { retry: { kind: 'backoff' }, cause: error });
      } finally {
        // With it goes the body, of which nothing was asked for.
        await agent.destroy();
      }
    },
  };
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function retryAfterOf(response: Response): number | undefined {
  const value = response.headers.get('retry-after')?.trim();
  if (!value) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
