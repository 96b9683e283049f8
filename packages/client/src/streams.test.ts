import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createClient } from './client.ts';
import { jobHistory } from './testing/fake-jobs.ts';
import { sendJson } from './testing/fake-routes.ts';
import { deserted, type FakeService, startFakeService } from './testing/fake-service.ts';

let service: FakeService;
const clientOf = () => createClient({ baseUrl: service.url, token: 'token', retryDelayMs: 1 });

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

beforeEach(async () => {
  service = await startFakeService();
});
afterEach(() => service.close());

test('every change of a job is seen once, across a connection that is lost in between', async () => {
  const client = clientOf();
  const { id } = await client.ingestText('Followed.');
  service.intercept((request, response) => {
    if (!request.path.endsWith('/events')) return false;
    const [accepted] = jobHistory(1, 'doc-1');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`event: job\nid: 1\ndata: ${JSON.stringify(accepted)}\n\n: half an ev`);
    setImmediate(() => response.destroy());
    return true;
  });
  const states = [];
  for await (const job of client.watchJob(id, { reconnectDelayMs: 1 })) states.push(job.state);
  expect(states).toEqual(['queued', 'running', 'succeeded']);
  expect(service.requests.at(-1)?.headers['last-event-id']).toBe('1');
});

test('events of another kind are passed over, also those without an id', async () => {
  const client = clientOf();
  const { id } = await client.ingestText('Followed.');
  service.intercept((request, response) => {
    if (!request.path.endsWith('/events')) return false;
    const [accepted] = jobHistory(1, 'doc-1');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(
      `event: job\nid: 1\ndata: ${JSON.stringify(accepted)}\n\nevent: notice\ndata: from a later version\n\n`,
    );
    return true;
  });
  const jobs = await collect(client.watchJob(id));
  expect(jobs.map((job) => job.state)).toEqual(['queued', 'running', 'succeeded']);
  expect(service.requests.at(-1)?.headers['last-event-id']).toBe('1');
});

test('a watch that is answered but told nothing gives up too', async () => {
  const client = clientOf();
  const { id } = await client.ingestText('Unheard.');
  for (let connection = 0; connection < 3; connection += 1) {
    service.intercept((request, response) => {
      if (!request.path.endsWith('/events')) return false;
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end();
      return true;
    });
  }
  const watch = client.waitForJob(id, { maxReconnects: 2, reconnectDelayMs: 1 });
  await expect(watch).rejects.toMatchObject({ code: 'unreachable', message: expect.stringContaining('ended 2 times') });
});

test('a job whose events are over although it goes on is not taken for ended', async () => {
  const client = clientOf();
  const { id } = await client.ingestText('Going on.');
  const seen: string[] = [];
  service.intercept((request, response) => {
    if (!request.path.endsWith(id)) return false;
    sendJson(response, 200, jobHistory(1, 'doc-1')[1]);
    return true;
  });
  const watch = client.waitForJob(id, { lastEventId: '3', onChange: ({ state }) => seen.push(state) });
  await expect(watch).rejects.toMatchObject({ code: 'invalid_answer' });
  expect(seen).toEqual(['running']);
});

test('a job that ended with the last event seen is read once and given', async () => {
  const client = clientOf();
  const { id } = await client.ingestText('Ended.');
  const jobs = await collect(client.watchJob(id, { lastEventId: '3' }));
  expect(jobs.map((job) => job.state)).toEqual(['succeeded']);
});

test('a watch of a job that is not there fails at once', async () => {
  await expect(clientOf().waitForJob('job_01JZZZZZZZZZZZZZZZZZZZZZZZ')).rejects.toMatchObject({ code: 'not_found' });
  expect(service.requests).toHaveLength(1);
});

test('a watch gives up after so many connections that bring nothing', async () => {
  const client = createClient({ baseUrl: await deserted(), token: 'token' });
  const watch = client.waitForJob('job_01JZZZZZZZZZZZZZZZZZZZZZZZ', { maxReconnects: 2, reconnectDelayMs: 1 });
  await expect(watch).rejects.toMatchObject({ code: 'unreachable' });
});

test('an answer arrives word by word, with its citations and its end', async () => {
  const client = clientOf();
  await client.ingestText('The otter lives at the river Glan.', { documentId: 'otter' });
  const events = await collect(client.streamRag({ question: 'Where lives the otter?' }));
  const text = events.flatMap((event) => (event.event === 'token' ? [event.data.text] : [])).join('');
  expect(text).toBe('The otter lives at the river Glan. [1]');
  expect(events[0]).toMatchObject({ event: 'sources', data: { answerId: 'answer_1' } });
  expect(events.at(-2)).toMatchObject({ event: 'citation', data: { documentId: 'otter' } });
  expect(events.at(-1)).toMatchObject({ event: 'done', data: { answer: text, refused: false } });
});

test('events of an answer that a later version sends are passed over', async () => {
  const data = { answer: 'Here.', citations: [], grounded: true, refused: false };
  service.intercept((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`data: {}\n\nevent: thought\ndata: {}\n\nevent: done\ndata: ${JSON.stringify(data)}\n\n`);
    return true;
  });
  expect(await collect(clientOf().streamRag({ question: 'Where?' }))).toEqual([{ event: 'done', data }]);
});

test('an answer that fails in mid-stream ends with the error of the service, one that breaks off with ours', async () => {
  for (const ending of ['event: error\ndata: {"error":{"code":"internal","message":"No.","requestId":"r"}}\n\n', '']) {
    service.intercept((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`event: token\ndata: {"text":"Half"}\n\n${ending}`);
      return true;
    });
    const stream = clientOf().streamRag({ question: 'Why?' });
    expect((await stream.next()).value).toEqual({ event: 'token', data: { text: 'Half' } });
    await expect(stream.next()).rejects.toMatchObject({ code: ending ? 'internal' : 'unreachable' });
  }
});

test('whoever stops listening closes the connection', async () => {
  const client = clientOf();
  const { id } = await client.ingestText('Left alone.');
  const closed = new Promise<void>((resolve) => {
    service.intercept((_, response) => {
      response.on('close', resolve);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`event: job\nid: 1\ndata: ${JSON.stringify(jobHistory(1, 'doc-1')[0])}\n\n`);
      return true;
    });
  });
  for await (const _ of client.watchJob(id)) break;
  await closed;
});
