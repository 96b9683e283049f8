import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** Server-sent events out of the pieces of a response body, in order. */
export async function* readEvents(pieces: AsyncIterable<string>): AsyncGenerator<EventSourceMessage> {
  const ready: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => ready.push(event) });
  for await (const piece of pieces) {
    parser.feed(piece);
    yield* ready.splice(0);
  }
}
