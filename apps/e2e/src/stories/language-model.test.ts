import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import { type OpenaiFault, type OpenaiServer, startOpenaiServer } from '@semantic-memory/shared/testing/openai-server';
import { eventually, waitForEnd } from '../job-end.ts';
import { type Service, startService } from '../service.ts';

/** The service with an endpoint that speaks the OpenAI protocol, for embeddings and for answers. */
let model: OpenaiServer;
let service: Service;

beforeAll(async () => {
  model = await startOpenaiServer();
  service = await startService({
    env: {
      EMBEDDING_PROVIDER: 'openai',
      EMBEDDING_MODEL: 'words-64',
      OPENAI_BASE_URL: model.url,
      OPENAI_API_KEY: 'test-key',
      LLM_MODEL: 'quoter',
      MODEL_TIMEOUT_MS: '1500',
    },
  });
}, 120_000);

afterAll(async () => {
  await service?.stop();
  await model?.close();
}, 60_000);

const note = 'The lighthouse of Karvik was lit in 1911. Its keeper was Marta Ness. The lamp burned colza oil.';

test('an endpoint that is over its limit makes the job wait as long as it says, and go on by itself', async () => {
  model.failNext({ kind: 'status', status: 429, headers: { 'retry-after': '2' } });
  const job = await service.client.ingestText(note, { documentId: 'karvik' });
  const waiting = await eventually(async () => {
    const now = await service.client.job(job.id);
    return now.state === 'waiting' ? now : undefined;
  });
  expect(waiting.stages.find((stage) => stage.name === 'embed')).toMatchObject({
    state: 'waiting',
    error: { code: 'dependency_unavailable' },
  });
  const ended = await waitForEnd(service, job.id);
  expect(ended.state).toBe('succeeded');
  const embed = ended.stages.find((stage) => stage.name === 'embed');
  expect(Date.parse(embed?.finishedAt ?? '') - Date.parse(embed?.startedAt ?? '')).toBeGreaterThanOrEqual(2000);
  expect(model.requests.find(({ path }) => path === '/v1/embeddings')).toMatchObject({
    authorization: 'Bearer test-key',
    body: { model: 'words-64' },
  });
});

test('an answer is streamed word by word, with the passages first and a citation that quotes them', async () => {
  const events: string[] = [];
  let text = '';
  let whole: { answer: string; citations: { quote: string; documentId: string }[] } | undefined;
  for await (const { event, data } of service.client.streamRag({ question: 'Who was its keeper?' })) {
    if (events.at(-1) !== event) events.push(event);
    if (event === 'token') text += data.text;
    if (event === 'done') whole = data;
  }
  expect(events).toEqual(['sources', 'token', 'citation', 'done']);
  expect(text).toBe(whole?.answer);
  expect(text).toContain('Marta Ness');
  expect(whole?.citations[0]).toMatchObject({ documentId: 'karvik' });
  expect(note).toContain(whole?.citations[0]?.quote);
});

test('a question that the memory does not answer is refused', async () => {
  const answer = await service.client.rag({ question: 'Zweihundert quadratische Gleichungen?' });
  expect(answer).toMatchObject({ refused: true, citations: [] });
});

test('a model that is away leaves the extractive answer, and the answer says so', async () => {
  model.failNext({ kind: 'status', status: 500, on: 'chat' });
  const answer = await service.client.rag({ question: 'What did the lamp burn?' });
  expect(answer.degraded).toEqual(['language_model_unavailable']);
  expect(answer.citations.map(({ quote }) => quote)).toContain('The lamp burned colza oil.');
});

/** An answer that is streamed, as its events come over the wire. */
async function streamed(question: string): Promise<{ event: string; data: Record<string, unknown> }[]> {
  const answer = await fetch(`${service.url}${apiPrefix}/rag`, {
    method: 'POST',
    headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ question, stream: true }),
  });
  expect(answer.status).toBe(200);
  return [...(await answer.text()).matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, event = '', data = '']) => ({
    event,
    data: JSON.parse(data),
  }));
}

const whole = 'Its keeper was Marta Ness';

/** The model is asked again: it was left alone for a moment after it had failed. */
const answersWhole = (question: string) =>
  eventually(async () => {
    const last = (await streamed(question)).at(-1);
    return last?.event === 'done' && last.data.degraded === undefined ? last.data.answer : undefined;
  });

test.each([{ kind: 'cut' as const }, { kind: 'stall' as const }, { kind: 'unfinished' as const }])(
  'a stream that breaks off (%j) ends with a typed error or a whole answer of another kind, and nothing of it is kept',
  async (fault) => {
    // Never asked before: what is whole is answered from the cache, model or not.
    expect(await answersWhole(`Who was its keeper before the ${fault.kind}?`)).toContain(whole);
    const question = `Who was its keeper in the ${fault.kind}?`;
    model.failNext({ ...fault, on: 'chat' });
    const events = await streamed(question);
    const last = events.at(-1);
    if (events.some(({ event }) => event === 'token') && last?.event === 'error') {
      expect(last.data).toMatchObject({ error: { code: 'dependency_unavailable' } });
      expect(events.some(({ event }) => event === 'done')).toBe(false);
    } else {
      expect(last).toMatchObject({ event: 'done', data: { degraded: ['language_model_unavailable'] } });
    }
    expect(await answersWhole(question)).toContain(whole);
  },
  30_000,
);

test('an endpoint for embeddings that fails in every way is waited for, and nothing of its failures is stored', async () => {
  const faults: OpenaiFault[] = [
    { kind: 'status', status: 500 },
    { kind: 'stall' },
    { kind: 'stall-body' },
    { kind: 'cut' },
    { kind: 'no-json' },
    { kind: 'wrong-dimension' },
    { kind: 'wrong-count' },
  ];
  const asked = model.requests.length;
  model.failNext(...faults.map((fault) => ({ ...fault, on: 'embeddings' as const })));
  const jobs = await Promise.all(
    faults.map((_, index) => service.client.ingestText(`Buoy ${index * 7919} lies off Karvik and is green.`)),
  );
  for (const { id } of jobs) {
    const ended = await waitForEnd(service, id);
    expect(ended.state).toBe('succeeded');
    // Waiting uses up no attempt.
    expect(ended.stages.find(({ name }) => name === 'embed')?.attempts).toBe(1);
  }
  // One call for each fault and document, and hardly more: nobody hammers an endpoint that fails.
  expect(model.requests.length - asked).toBeLessThanOrEqual(3 * faults.length);
  expect(await service.client.stats()).toMatchObject({ consistent: true });
}, 90_000);

test('nobody calls an endpoint before the time that it asked for is over', async () => {
  model.failNext({ kind: 'status', status: 429, headers: { 'retry-after': '3' }, on: 'embeddings' });
  const first = await service.client.ingestText('The pilot boat is red and white.');
  await eventually(async () => (await service.client.job(first.id)).state === 'waiting');
  const asked = model.requests.length;
  const others = await Promise.all(
    [1, 2, 3, 4].map((index) => service.client.ingestText(`Pilot boat ${index * 104_729} is at sea.`)),
  );
  for (const { id } of others) {
    await eventually(async () => (await service.client.job(id)).state === 'waiting');
  }
  expect(model.requests).toHaveLength(asked);
  for (const { id } of [first, ...others]) expect((await waitForEnd(service, id)).state).toBe('succeeded');
}, 60_000);

test('vectors of another dimension than the model has are refused, and the job says why it waits', async () => {
  model.failNext({ kind: 'wrong-dimension', on: 'embeddings' });
  const job = await service.client.ingestText('The harbour master has a new clock.');
  const waiting = await eventually(async () => {
    const now = await service.client.job(job.id);
    return now.state === 'waiting' ? now : undefined;
  });
  expect(waiting.stages.find(({ name }) => name === 'embed')?.error).toMatchObject({
    code: 'dependency_unavailable',
    message: expect.stringContaining('63 numbers for a text in place of 64'),
  });
  expect((await waitForEnd(service, job.id)).state).toBe('succeeded');
}, 60_000);
