import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import { type AnswerEvent, RagRequest } from '../contracts/model/answer.ts';
import type { LanguageModel } from '../ports/language-model.ts';
import { createResultCache } from '../search/result-cache.ts';
import { createInMemoryCache } from '../testing/in-memory-cache.ts';
import { createMemory } from '../testing/search-memory.ts';
import type { RagDeps } from './answer.ts';
import { cachedAnswer, cachedAnswerStream } from './cached-answer.ts';

const ask = (question: string, fields: Partial<RagRequest> = {}) => RagRequest.parse({ question, ...fields });

async function collect(events: AsyncIterable<AnswerEvent>): Promise<AnswerEvent[]> {
  const all: AnswerEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

async function createBench() {
  const memory = createMemory();
  await memory.store({ documentId: 'returns', text: 'Shoes can be returned within 30 days.' });
  const { clock } = memory;
  const cache = createInMemoryCache(clock);
  const times = { freshMs: 1000, embeddingFreshMs: 1000, graceMs: 60_000 };
  const model = { calls: 0, away: false };
  const languageModel: LanguageModel = {
    model: 'scripted',
    async *stream() {
      model.calls += 1;
      if (model.away) throw new MemoryError('dependency_unavailable', 'The language model is away.');
      yield 'Within 30 days [1].';
      return { promptTokens: 10, completionTokens: 5 };
    },
  };
  const deps: RagDeps = { ...memory.deps, languageModel, results: createResultCache({ cache, clock, ...times }) };
  return { memory, deps, model };
}

test('the same question of an unchanged namespace costs one call of the model, in whatever form it is asked', async () => {
  const { memory, deps, model } = await createBench();
  const streamed = await collect(
    cachedAnswerStream(deps, 'acme', ask('When can shoes be returned?', { stream: true })),
  );
  const whole = streamed.at(-1)?.data;
  expect(await cachedAnswer(deps, 'acme', ask('When can shoes be returned?'))).toEqual(whole);
  const again = await collect(cachedAnswerStream(deps, 'acme', ask('When can shoes be returned?', { stream: true })));
  expect(model.calls).toBe(1);
  expect(again.map(({ event }) => event)).toEqual(['sources', 'token', 'citation', 'done']);
  expect(again.at(-1)?.data).toEqual(whole);
  const [first, second] = [streamed[0]?.data, again[0]?.data] as { answerId: string; hits: unknown[] }[];
  expect(second?.hits).toEqual(first?.hits);
  expect(second?.answerId).not.toBe(first?.answerId);
  expect(memory.metrics.recorded.filter((line) => line.startsWith('rag '))).toEqual(
    Array.from({ length: 3 }, () => 'rag answered generative 0'),
  );
});

test('another tenant, another conversation and another generation ask the model', async () => {
  const { memory, deps, model } = await createBench();
  await memory.store({ documentId: 'returns', tenant: 'rival', text: 'Nothing can be returned.' });
  await cachedAnswer(deps, 'acme', ask('returned?'));
  await cachedAnswer(deps, 'rival', ask('returned?'));
  expect(model.calls).toBe(2);
  await cachedAnswer(deps, 'acme', ask('returned?', { topK: 3 }));
  expect(model.calls).toBe(3);
  await memory.store({ documentId: 'returns', text: 'Shoes can be returned within 60 days.' });
  const { citations } = await cachedAnswer(deps, 'acme', ask('returned?'));
  expect(model.calls).toBe(4);
  expect(citations[0]?.quote).toContain('60 days');
});

test('an answer without the model is not kept', async () => {
  const { deps, model } = await createBench();
  model.away = true;
  const answer = await cachedAnswer(deps, 'acme', ask('When can shoes be returned?'));
  expect(answer).toMatchObject({ degraded: ['language_model_unavailable'], usage: { model: 'extractive' } });
  model.away = false;
  expect((await cachedAnswer(deps, 'acme', ask('When can shoes be returned?'))).usage.model).toBe('scripted');
});

test('where the model is away, an answer past its time is given while all it was drawn from is there', async () => {
  const { memory, deps, model } = await createBench();
  const whole = await cachedAnswer(deps, 'acme', ask('When can shoes be returned?'));
  memory.clock.time += 1001;
  model.away = true;
  expect(await cachedAnswer(deps, 'acme', ask('When can shoes be returned?'))).toEqual({
    ...whole,
    degraded: ['stale'],
  });
  await memory.ledger.removeDocument('acme', 'returns');
  const { citations, refused } = await cachedAnswer(deps, 'acme', ask('When can shoes be returned?'));
  expect({ citations, refused }).toEqual({ citations: [], refused: true });
});

test('a stream that breaks off is not kept, and leaves the question to the next', async () => {
  const { deps, model } = await createBench();
  const events = cachedAnswerStream(deps, 'acme', ask('When can shoes be returned?', { stream: true }));
  await events.next();
  await events.return();
  await cachedAnswer(deps, 'acme', ask('When can shoes be returned?'));
  expect(model.calls).toBe(1);
});

test('without a language model answers are kept too, and counted as what they are', async () => {
  const { memory, deps } = await createBench();
  const { languageModel: _, ...extractive } = deps;
  const first = await cachedAnswer(extractive, 'acme', ask('When can shoes be returned?'));
  expect(await cachedAnswer(extractive, 'acme', ask('When can shoes be returned?'))).toEqual(first);
  expect(memory.embedder.queries).toHaveLength(1);
  const refused = await cachedAnswer(extractive, 'acme', ask('¿cuándo?', { filter: { kind: 'none' } }));
  expect(refused.refused).toBe(true);
  expect(await cachedAnswer(extractive, 'acme', ask('¿cuándo?', { filter: { kind: 'none' } }))).toEqual(refused);
  const kinds = memory.metrics.recorded.filter((line) => line.startsWith('rag '));
  expect(kinds).toEqual([...Array(2).fill('rag answered extractive 0'), ...Array(2).fill('rag refused extractive 0')]);
});

test('of an empty namespace, and while its index is being brought back, nothing is kept', async () => {
  const { memory, deps, model } = await createBench();
  const nowhere = ask('When can shoes be returned?', { namespace: 'nowhere' });
  expect((await cachedAnswer(deps, 'acme', nowhere)).refused).toBe(true);
  expect((await collect(cachedAnswerStream(deps, 'acme', nowhere))).at(-1)?.data).toMatchObject({ refused: true });
  await memory.ledger.markIndex({ tenant: 'acme', namespace: 'default' }, 'incomplete');
  for (let round = 1; round <= 2; round += 1) {
    const { degraded } = await cachedAnswer(deps, 'acme', ask('When can shoes be returned?'));
    expect([degraded, model.calls]).toEqual([['index_rebuilding'], round]);
  }
});
