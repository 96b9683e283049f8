import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import type { LanguageModel } from '../ports/language-model.ts';
import { meterModel } from './metered-model.ts';

const question = [{ role: 'user' as const, content: 'x'.repeat(400) }];

/** A model with these pieces, and what was counted of it. */
function metered(pieces: readonly string[], fault?: Error) {
  const counted: number[] = [];
  const ended: boolean[] = [];
  const model: LanguageModel = {
    model: 'm',
    async *stream() {
      try {
        yield* pieces;
        if (fault) throw fault;
        return { promptTokens: 90, completionTokens: 10 };
      } finally {
        ended.push(true);
      }
    },
  };
  return { counted, ended, model: meterModel(model, async (tokens) => void counted.push(tokens)) };
}

test('a whole reply costs what the model says, and comes through as it is', async () => {
  const { counted, model } = metered(['a', 'b']);
  const reply = model.stream(question, {});
  expect([await reply.next(), await reply.next(), await reply.next()]).toEqual([
    { done: false, value: 'a' },
    { done: false, value: 'b' },
    { done: true, value: { promptTokens: 90, completionTokens: 10 } },
  ]);
  expect([model.model, counted]).toEqual(['m', [100]]);
});

test('a reply that its reader leaves is broken off, and costs what was sent and had come', async () => {
  const { counted, ended, model } = metered(['a'.repeat(40), 'b']);
  for await (const _ of model.stream(question, {})) break;
  expect([counted, ended]).toEqual([[110], [true]]);
});

test('a model that is away before it says anything costs nothing, one that goes in the middle what had come', async () => {
  const away = new MemoryError('dependency_unavailable', 'It is away.');
  const silent = metered([], away);
  await expect(silent.model.stream(question, {}).next()).rejects.toBe(away);
  expect(silent.counted).toEqual([]);
  const cut = metered(['abcd'], away);
  const reply = cut.model.stream(question, {});
  await reply.next();
  await expect(reply.next()).rejects.toBe(away);
  expect(cut.counted).toEqual([101]);
});
