import type { ErrorBody } from '@semantic-memory/shared/contracts/errors';
import type { RagEvent } from './answers.ts';
import { ApiError } from './api-error.ts';
import { readEvents } from './event-stream.ts';
import type { ApiRequest, Transport } from './transport.ts';

const known = new Set<string>(['sources', 'token', 'citation', 'done'] satisfies RagEvent['event'][]);

/**
 * The events of an answer as they arrive, up to `done`.
 *
 * @throws ApiError where the answer fails, also in mid-stream.
 */
export async function* streamRag(transport: Transport, request: ApiRequest): AsyncGenerator<RagEvent> {
  const { response, text } = await transport.open(request);
  for await (const { event, data } of readEvents(text)) {
    if (event === 'error') {
      const { error } = JSON.parse(data) as ErrorBody;
      throw new ApiError({ status: response.status, ...error });
    }
    // An event of a later version of the service is passed over.
    if (event === undefined || !known.has(event)) continue;
    yield { event, data: JSON.parse(data) } as RagEvent;
    if (event === 'done') return;
  }
  throw new ApiError({ status: 0, code: 'unreachable', message: 'The answer broke off before its end.' });
}
