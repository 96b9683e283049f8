import { z } from 'zod';
import { Answer, RagRequest } from '../model/answer.ts';
import { defineEndpoint } from './endpoint.ts';
import { eventIdHeader } from './event-id.ts';

export const rag = defineEndpoint({
  id: 'rag',
  method: 'post',
  path: '/rag',
  scopes: ['memory:read'],
  uses: ['tokens'],
  tag: 'rag',
  summary: 'Answer a question from the documents',
  description:
    'With `stream: true` the answer is server-sent events: `sources` {answerId, hits}, `token` {text}…, `citation` (a ' +
    'Citation)…, and `done` (the whole Answer) or `error` (an Error). Each has an id to go on from.',
  body: RagRequest,
  responses: {
    200: {
      description: 'The answer with its citations; or the events.',
      schema: Answer,
      otherMediaType: 'text/event-stream',
    },
  },
  errors: ['request_too_large', 'unsupported_media_type', 'unprocessable'],
  examples: [{ summary: 'A question', request: { question: 'How many tides are there in a day?' } }],
});

export const ragEvents = defineEndpoint({
  id: 'ragEvents',
  method: 'get',
  path: '/rag/{answerId}/events',
  scopes: ['memory:read'],
  tag: 'rag',
  summary: 'Go on with a streamed answer',
  description: 'From `Last-Event-ID` on, up to 10 minutes after the question.',
  params: z.strictObject({ answerId: z.string().max(200) }),
  headers: z.object({ 'last-event-id': eventIdHeader(/^\d{0,9}$/) }),
  responses: {
    200: { description: 'The events.', mediaType: 'text/event-stream' },
    204: { description: 'The answer has ended and nothing came after that id.' },
  },
  errors: ['not_found'],
});
