import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import { type ChatTurn, RagRequest } from '../contracts/model/answer.ts';
import { chunksKey } from '../ingest/stored/blob-keys.ts';
import type { LanguageModel } from '../ports/language-model.ts';
import type { Logger } from '../ports/logger.ts';
import { createInMemoryQuotas } from '../testing/in-memory-quotas.ts';
import { createMemory } from '../testing/search-memory.ts';
import { answer } from './answer.ts';

/** A model that gives one reply a call, or fails with it. */
function modelOf(...replies: (string | Error)[]): LanguageModel & { calls: number } {
  const model = {
    model: 'scripted',
    calls: 0,
    async *stream() {
      const reply = replies[model.calls] as string | Error;
      model.calls += 1;
      if (reply instanceof Error) throw reply;
      yield reply;
      return { promptTokens: 10, completionTokens: 5 };
    },
  };
  return model;
}

async function shopMemory() {
  const memory = createMemory();
  await memory.store({
    documentId: 'returns',
    text: 'Refunds are paid in 14 days.\n\nSee https://shop.example/returns for more.',
  });
  return memory;
}

const ask = (fields: Partial<RagRequest> = {}) => RagRequest.parse({ question: 'When are refunds paid?', ...fields });
const history: ChatTurn[] = [{ role: 'user', content: 'Tell me of refunds.' }];
const away = () => new MemoryError('dependency_unavailable', 'The language model is away.');

test('what the model reads and writes counts as tokens of the tenant', async () => {
  const { deps } = await shopMemory();
  const quotas = createInMemoryQuotas({ tokens: 100 });
  await answer({ ...deps, quotas, languageModel: modelOf('In 14 days [1].') }, 'acme', ask());
  expect(quotas.left.tokens).toBe(85);
});

test('an answer whose tokens cannot be counted is given all the same, and that is logged', async () => {
  const { deps } = await shopMemory();
  const warned: string[] = [];
  const logger: Logger = { ...deps.logger, warn: (message) => warned.push(message) };
  const quotas = { ...createInMemoryQuotas({}), count: () => Promise.reject(away()) };
  const languageModel = modelOf('Refunds are paid in 14 days [1].');
  const done = await answer({ ...deps, logger, quotas, languageModel }, 'acme', ask());
  expect(done.answer).toBe('Refunds are paid in 14 days [1].');
  expect(warned).toEqual(['the tokens of an answer could not be counted']);
});

test('what should be around a passage and is nowhere is said to be missing', async () => {
  const { deps, vectors, blobs, metrics } = await shopMemory();
  await vectors.removeDocument({ tenant: 'acme', namespace: 'default', model: 'terms-1' }, 'returns', { fromIndex: 1 });
  await blobs.remove(chunksKey({ tenant: 'acme', documentId: 'returns', version: 1 }));
  const languageModel = modelOf('Refunds are paid in 14 days [1].');
  const done = await answer({ ...deps, languageModel }, 'acme', ask({ topK: 1 }));
  expect(done.answer).toBe('Refunds are paid in 14 days [1].');
  expect(done.degraded).toContain('neighbours_incomplete');
  expect(metrics.recorded).toContain('degraded neighbours_incomplete');
});

test('of nothing found the model is not asked', async () => {
  const { deps } = await shopMemory();
  const languageModel = modelOf();
  const nothing = await answer({ ...deps, languageModel }, 'acme', ask({ filter: { kind: 'none' } }));
  const nowhere = await answer({ ...deps, languageModel }, 'acme', ask({ namespace: 'nowhere' }));
  expect([nothing.refused, nowhere.refused, languageModel.calls]).toEqual([true, true, 0]);
});

test('a model that is away when the question is to be made whole is not asked again', async () => {
  const { deps, embedder } = await shopMemory();
  const languageModel = modelOf(away());
  const done = await answer({ ...deps, languageModel }, 'acme', ask({ question: 'In how many days?', history }));
  expect(done).toMatchObject({ degraded: ['language_model_unavailable'], usage: { model: 'extractive' } });
  expect(embedder.queries).toEqual(['Tell me of refunds.\nIn how many days?']);
  expect(languageModel.calls).toBe(1);
});

test('what the model breaks with otherwise, when the question is to be made whole, is thrown', async () => {
  const { deps } = await shopMemory();
  const languageModel = modelOf(new MemoryError('unprocessable', 'There is no such model.'));
  await expect(answer({ ...deps, languageModel }, 'acme', ask({ history }))).rejects.toMatchObject({
    code: 'unprocessable',
  });
});

test('a model that makes nothing of the question leaves it as it was', async () => {
  const { deps, embedder } = await shopMemory();
  const languageModel = modelOf(' \n', 'In 14 days [1].');
  await answer({ ...deps, languageModel }, 'acme', ask({ history }));
  expect(embedder.queries).toEqual(['When are refunds paid?']);
});

test('a conversation in which the caller has asked nothing adds nothing to the question', async () => {
  const { deps, embedder } = await shopMemory();
  await answer(deps, 'acme', ask({ history: [{ role: 'assistant', content: 'How can I help?' }] }));
  expect(embedder.queries).toEqual(['When are refunds paid?']);
});

test('an address that stands in a source is shown, others are not, a refusal shows none', async () => {
  const { deps } = await shopMemory();
  const text = 'See https://shop.example/returns or https://evil.example/x for more [1].';
  const done = await answer({ ...deps, languageModel: modelOf(text) }, 'acme', ask());
  expect(done.answer).toContain('https://shop.example/returns');
  expect(done.answer).not.toContain('evil');
  const refusal = modelOf('NO_ANSWER: ask at https://shop.example/returns instead.');
  const refused = await answer({ ...deps, languageModel: refusal }, 'acme', ask());
  expect([refused.refused, refused.answer]).toEqual([true, 'ask at  instead.']);
});

test('a refusal without a reason gets one', async () => {
  const { deps } = await shopMemory();
  const done = await answer({ ...deps, languageModel: modelOf('NO_ANSWER') }, 'acme', ask());
  expect(done).toMatchObject({
    refused: true,
    answer: 'No answer was found: the passages do not carry one.',
  });
});
