import type { RagRequest } from '@semantic-memory/shared/contracts/model/answer';
import { cachedAnswer, cachedAnswerStream } from '@semantic-memory/shared/rag/cached-answer';
import { readAnswer, recordAnswer, type SourcesEvent } from '../answer-streams.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type Handlers, ok, type RequestContext } from '../endpoint-handler.ts';
import { toHttpError } from '../errors.ts';
import { openEventStream } from '../event-stream.ts';

/** The longest that an answer may be written while nobody need be listening. */
const maxAnswerMs = 5 * 60_000;

export function ragHandlers(deps: ApiDeps): Pick<Handlers, 'rag' | 'ragEvents'> {
  return {
    async rag(context, { body }) {
      if (!body.stream) return ok(await cachedAnswer(deps, context.tenant, body, context.signal));
      return sendEvents(deps, context, await beginAnswer(deps, context, body), 0);
    },

    async ragEvents(context, { params, headers }) {
      return sendEvents(deps, context, params.answerId, Number(headers['last-event-id'] || '0'));
    },
  };
}

/**
 * Begins an answer; what goes wrong before its first event is an ordinary error. From then on the caller may leave and
 * come back: the answer is written to its end.
 */
async function beginAnswer(
  deps: ApiDeps,
  { tenant, requestId, signal, logger }: RequestContext,
  request: RagRequest,
): Promise<string> {
  const stop = new AbortController();
  const onGone = () => stop.abort(signal.reason);
  signal.addEventListener('abort', onGone);
  const limits = AbortSignal.any([stop.signal, deps.lifecycle.stopping, AbortSignal.timeout(maxAnswerMs)]);
  const rest = cachedAnswerStream(deps, tenant, request, limits);
  // An answer begins with its sources, or throws.
  const { value: sources } = (await rest.next()) as IteratorYieldResult<SourcesEvent>;
  signal.removeEventListener('abort', onGone);
  const onError = (error: unknown) => {
    logger.warn('a streamed answer broke off', { error });
    return toHttpError(error, requestId).body;
  };
  try {
    await recordAnswer(deps, tenant, { sources, rest, stop, onError });
  } catch (error) {
    // Whoever asks the same next must not wait for this one.
    await rest.return();
    throw error;
  }
  return sources.data.answerId;
}

async function sendEvents(deps: ApiDeps, context: RequestContext, answerId: string, afterId: number) {
  const signal = AbortSignal.any([context.signal, deps.lifecycle.stopping]);
  const events = await readAnswer(deps, context.tenant, answerId, afterId, signal);
  if (!events) {
    context.response.writeHead(204).end();
    return 'written' as const;
  }
  const stream = openEventStream(context.response, deps.limits.heartbeatMs);
  for await (const { id, event, data } of events) await stream.send({ id: String(id), event, data });
  stream.end();
  return 'written' as const;
}
