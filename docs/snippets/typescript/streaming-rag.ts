import { call } from './memory.ts';

/*
 * Asks a question and prints the answer as it comes, then what it cites: node streaming-rag.ts QUESTION [NAMESPACE]. Where
 * the connection is lost it goes on where it was.
 */
const [question, namespace = 'default'] = process.argv.slice(2);
if (!question) {
  console.error('usage: node streaming-rag.ts QUESTION [NAMESPACE]');
  process.exit(2);
}

interface Event {
  readonly id: string;
  readonly event: string;
  // docs/schema.md has the shape for each event; these are the fields that are read here.
  readonly data: {
    readonly answerId: string;
    readonly text: string;
    readonly marker: string;
    readonly documentId: string;
    readonly quote: string;
    readonly error: { readonly message: string };
  };
}

/** The events of a response, as they come. https://html.spec.whatwg.org/multipage/server-sent-events.html */
async function* eventsOf(response: Response): AsyncGenerator<Event> {
  let buffer = '';
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    buffer += piece;
    const blocks = buffer.split('\n\n');
    buffer = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => line.split(/: ?(.*)/s) as [string, string]));
      const data = fields.get('data');
      if (data) yield { id: fields.get('id') ?? '', event: fields.get('event') ?? '', data: JSON.parse(data) };
    }
  }
}

let response = await call('/rag', { method: 'POST', body: JSON.stringify({ question, namespace, stream: true }) });
let answerId = '';
let lastId = '';
let isOver = false;
while (!isOver) {
  const from = lastId;
  try {
    for await (const { id, event, data } of eventsOf(response)) {
      lastId = id;
      if (event === 'sources') answerId = data.answerId;
      if (event === 'token') process.stdout.write(data.text);
      if (event === 'citation') process.stdout.write(`\n${data.marker} ${data.documentId}: “${data.quote}”`);
      if (event === 'error') fail(data.error.message);
      isOver = event === 'done';
    }
  } catch {
    // As where the events end too soon.
  }
  if (isOver) break;
  if (lastId === from) fail('The answer breaks off.');
  console.error('the connection is lost, going on');
  // Kept for ten minutes after its last piece, at every API process.
  response = await call(`/rag/${answerId}/events`, { headers: { 'last-event-id': lastId } });
}
process.stdout.write('\n');

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
