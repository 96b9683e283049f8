import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type OpenaiServer, startOpenaiServer } from '@semantic-memory/shared/testing/openai-server';
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
