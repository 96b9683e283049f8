import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { RagRequest } from '@semantic-memory/shared/contracts/model/answer';
import { answer, streamAnswer } from '@semantic-memory/shared/rag/answer';
import type { AnswerStreams } from '../answer-streams.ts';
import type { ApiDeps } from '../api-deps.ts';
import { type Handlers, ok, type RequestContext } from '../endpoint-handler.ts';
import { invalidRequest, toHttpError } from '../errors.ts';
import { openEventStream } from '../event-stream.ts';

/** The longest that an answer may be written while nobody need be listening. */
const maxAnswerMs = 5 * 60_000;

export function ragHandlers(deps: ApiDeps, answers: AnswerStreams): Pick<Handlers, 'rag' | 'ragEvents'> {
  return {
    async rag(context, { body }) {
      if (!body.stream) return ok(await answer(deps, context.tenant, body, context.signal));
      const answerId = await beginAnswer(deps, answers, context, body);
      return sendEvents(deps, answers, context, answerId, 0);
    },

    async ragEvents(context, { params, headers }) {
      const last = headers['last-event-id'] || '0';
      if (!/^\d{1,9}$/.test(last)) {
        throw invalidRequest([{ path: 'headers.last-event-id', message: 'is not the id of an event' }]);
      }
      const after = Number(last);
      await forgetDeleted(deps, answers, context.tenant, params.answerId);
      if (answers.isOver(context.tenant, params.answerId, after)) {
        context.response.writeHead(204).end();
        return 'written';
      }
      return sendEvents(deps, answers, context, params.answerId, after);
    },
  };
}

/** The delete may have gone to another process: what is gone is not quoted again. */
async function forgetDeleted(deps: ApiDeps, answers: AnswerStreams, tenant: string, answerId: string): Promise<void> {
  const documentIds = answers.documentIds(tenant, answerId);
  const documents = await Promise.all(documentIds.map((documentId) => deps.ledger.getDocument(tenant, documentId)));
  for (const [index, documentId] of documentIds.entries()) {
    if (!documents[index]) answers.forgetDocument(tenant, documentId);
  }
}

/**
 * Begins an answer; what goes wrong before its first event is an ordinary error. From then on the caller may leave and
 * come back: the answer is written to its end.
 */
async function beginAnswer(
  deps: ApiDeps,
  answers: AnswerStreams,
  { tenant, requestId, signal, logger }: RequestContext,
  request: RagRequest,
): Promise<string> {
  const stop = new AbortController();
  const onGone = () => stop.abort(signal.reason);
  signal.addEventListener('abort', onGone);
  const limits = AbortSignal.any([stop.signal, deps.lifecycle.stopping, AbortSignal.timeout(maxAnswerMs)]);
  const rest = streamAnswer(deps, tenant, request, limits);
  const first = await rest.next();
  signal.removeEventListener('abort', onGone);
  if (first.done || first.value.event !== 'sources') {
    throw new MemoryError('internal', 'The answer did not begin with its sources.');
  }
  const onError = (error: unknown) => {
    logger.warn('a streamed answer broke off', { error });
    return toHttpError(error, requestId).body;
  };
  answers.record({ tenant, sources: first.value, rest, stop, onError });
  return first.value.data.answerId;
}

async function sendEvents(
  deps: ApiDeps,
  answers: AnswerStreams,
  context: RequestContext,
  answerId: string,
  afterId: number,
) {
  const signal = AbortSignal.any([context.signal, deps.lifecycle.stopping]);
  const events = answers.read(context.tenant, answerId, afterId, signal);
  if (!events) throw new MemoryError('not_found', 'There is no such answer, or it is too long ago.');
  const stream = openEventStream(context.response, deps.limits.heartbeatMs);
  for await (const { id, event, data } of events) await stream.send({ id: String(id), event, data });
  stream.end();
  return 'written' as const;
}
