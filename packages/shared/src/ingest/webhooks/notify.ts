import { MemoryError, toMemoryError } from '../../contracts/errors.ts';
import type { NotifyPayload } from '../../contracts/jobs.ts';
import type { WebhookSender } from '../../ports/webhook-sender.ts';
import type { IngestDeps } from '../deps.ts';
import { type DueCall, readDueCall, removeDueCall } from './webhook-outbox.ts';
import { deliveryHeader, signatureHeader, webhookSignature } from './webhook-signature.ts';

export interface WebhookSettings {
  readonly sender: WebhookSender;
  /** Undefined where none is configured: calls then wait until there is. */
  readonly secret: string | undefined;
  /** The longest that one attempt may take. */
  readonly timeoutMs: number;
  /** The least time between two attempts; grows with the age of the call. */
  readonly backoffMs: number;
  /** How long a receiver that is away is tried. */
  readonly retryMs: number;
}

/** However old a call is, a receiver that is back hears of it within this time. */
const longestWaitMs = 60 * 60_000;
/** The receiver is gone for good: RFC 9110 section 15.5.11. */
const gone = 410;

/** How an attempt went: it is over, or comes again. */
type Attempt =
  | { readonly over: 'delivered' | 'refused'; readonly why: string }
  | { readonly failed: string; readonly afterMs: number };

/**
 * Makes one attempt at a call. Waits double with the age of the call, so that they need no count that a queue could
 * lose.
 * @throws MemoryError with `retry` `wait` where the call is to be tried again
 */
export async function notify(
  deps: IngestDeps & { readonly webhooks: WebhookSettings },
  { deliveryId }: NotifyPayload,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const call = await readDueCall(deps.blobs, deliveryId);
  if (!call) return;
  const { backoffMs, retryMs } = deps.webhooks;
  const attempt = await tryCall(deps.webhooks, call, deps.clock.now(), signal);
  const ageMs = deps.clock.now() - Date.parse(call.at);
  // Addresses may hold secrets; the host is enough to know whom it was about.
  const fields = { jobId: call.jobId, deliveryId, host: URL.parse(call.callbackUrl)?.host };
  if ('over' in attempt) {
    await removeDueCall(deps.blobs, deliveryId);
    deps.metrics.webhookAttempt(attempt.over);
    const level = attempt.over === 'delivered' ? 'info' : 'warn';
    deps.logger[level](`webhook ${attempt.over}`, { ...fields, reason: attempt.why });
    return;
  }
  if (ageMs >= retryMs) {
    await removeDueCall(deps.blobs, deliveryId);
    deps.metrics.webhookAttempt('gave_up');
    deps.logger.error('webhook given up', { ...fields, reason: attempt.failed, ageMs });
    return;
  }
  const doubling = Math.min(Math.max(backoffMs, ageMs), longestWaitMs);
  const afterMs = Math.min(Math.max(doubling, attempt.afterMs), longestWaitMs);
  deps.metrics.webhookAttempt('retried');
  deps.logger.warn('webhook will be tried again', { ...fields, reason: attempt.failed, afterMs });
  throw new MemoryError('dependency_unavailable', `The webhook could not be called: ${attempt.failed}`, {
    retry: { kind: 'wait', afterMs, steady: true },
  });
}

async function tryCall(
  { sender, secret, timeoutMs }: WebhookSettings,
  call: DueCall,
  nowMs: number,
  signal: AbortSignal,
): Promise<Attempt> {
  if (secret === undefined) return { failed: 'WEBHOOK_SECRET is not set on this worker.', afterMs: 0 };
  const headers = {
    'content-type': 'application/json',
    [deliveryHeader]: call.deliveryId,
    [signatureHeader]: webhookSignature(secret, call.body, Math.floor(nowMs / 1000)),
  };
  try {
    const { status, retryAfterMs } = await sender.post(
      call.callbackUrl,
      { headers, body: call.body },
      timeoutMs,
      signal,
    );
    if (status >= 200 && status < 300) return { over: 'delivered', why: `status ${status}` };
    if (status === gone) return { over: 'refused', why: 'status 410' };
    const isRedirect = status >= 300 && status < 400;
    const why = isRedirect ? `status ${status}; redirects are not followed` : `status ${status}`;
    return { failed: why, afterMs: retryAfterMs ?? 0 };
  } catch (thrown) {
    // The worker ends: nothing is said about the receiver.
    signal.throwIfAborted();
    const error = toMemoryError(thrown);
    if (error.code === 'fetch_forbidden') return { over: 'refused', why: error.message };
    if (error.code === 'fetch_failed') return { failed: error.message, afterMs: 0 };
    throw thrown;
  }
}
