import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import { Answer, type AnswerEvent, RagRequest } from '../contracts/model/answer.ts';
import type { ChatMessage, LanguageModel } from '../ports/language-model.ts';
import { createMemory, createTermEmbedder } from '../testing/search-memory.ts';
import { answer, type RagDeps, streamAnswer } from './answer.ts';

const away = () => new MemoryError('dependency_unavailable', 'The language model is away.');

/** A model that says what it is told: pieces of text, or an error in their place. One script a call. */
function scriptedModel(...scripts: (string | Error)[][]): LanguageModel & { prompts: (readonly ChatMessage[])[] } {
  const prompts: (readonly ChatMessage[])[] = [];
  return {
    model: 'scripted',
    prompts,
    async *stream(messages) {
      const script = scripts[prompts.length] ?? [away()];
      prompts.push(messages);
      for (const piece of script) {
        if (piece instanceof Error) throw piece;
        yield piece;
      }
      return { promptTokens: 10, completionTokens: 5 };
    },
  };
}

const ask = (request: Partial<RagRequest> & { question: string }) => RagRequest.parse(request);

async function collect(events: AsyncIterable<AnswerEvent>): Promise<AnswerEvent[]> {
  const all: AnswerEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const textOf = (events: AnswerEvent[]) =>
  events.map((event) => (event.event === 'token' ? event.data.text : '')).join('');

function doneOf(events: AnswerEvent[]): Answer {
  const last = events.at(-1);
  if (last?.event !== 'done') throw new Error('the last event is not done');
  return Answer.parse(last.data);
}

async function shopMemory() {
  const memory = createMemory();
  await memory.store({
    documentId: 'returns',
    title: 'Returns',
    text: '# Returns\n\nShoes can be **returned** within 30 days[3]. Refunds are paid in 14 days. Who pays the refunds?\n\nOur lawyers wrote this page.',
  });
  await memory.store({ documentId: 'hours', text: 'The shop opens at 9 in the morning.\n\nIt closes at 18.' });
  await memory.store({ documentId: 'secret', tenant: 'rival', text: 'Refunds are paid in 99 days to rivals.' });
  return memory;
}

/** The promises that every answer keeps, whatever made it. */
function checkPromises(events: AnswerEvent[], texts: Map<string, string>): void {
  const [first] = events;
  if (first?.event !== 'sources') throw new Error('the first event is not sources');
  const retrieved = new Set(first.data.hits.map((hit) => hit.chunkId));
  const done = doneOf(events);
  expect(textOf(events)).toBe(done.answer);
  expect(events.flatMap((event) => (event.event === 'citation' ? [event.data] : []))).toEqual(done.citations);
  for (const citation of done.citations) {
    expect(retrieved).toContain(citation.chunkId);
    const hit = first.data.hits.find((one) => one.chunkId === citation.chunkId);
    const text = texts.get(`acme/${citation.documentId}@${hit?.version}`) ?? '';
    expect(citation.quote).toBe(text.slice(citation.span.start, citation.span.end));
    expect(citation.quote).not.toBe('');
    expect(done.answer).toContain(citation.marker);
  }
  expect([...done.answer.matchAll(/\[\d+\]/g)].map(String).sort()).toEqual(
    expect.arrayContaining(done.citations.map((citation) => citation.marker).sort()),
  );
}

test('without a model the best sentences answer, each with its quote, the best one first', async () => {
  const memory = await shopMemory();
  const events = await collect(streamAnswer(memory.deps, 'acme', ask({ question: 'When are refunds paid?' })));
  checkPromises(events, memory.texts);
  const done = doneOf(events);
  expect(done).toMatchObject({ grounded: true, refused: false, usage: { model: 'extractive', promptTokens: 0 } });
  expect(done.citations[0]?.quote).toBe('Refunds are paid in 14 days.');
  expect(done.citations.length).toBeLessThanOrEqual(3);
  expect(done.degraded).toBeUndefined();
  expect(JSON.stringify(events)).not.toContain('rivals');
});

test('the answer reads without Markdown and foreign markers, the quote keeps them', async () => {
  const memory = await shopMemory();
  const request = ask({ question: 'Within how many days can shoes be returned?' });
  const done = await answer(memory.deps, 'acme', request);
  expect(done.answer).toContain('Shoes can be returned within 30 days. [1]');
  expect(done.citations[0]?.quote).toBe('Shoes can be **returned** within 30 days[3].');
});

test('a namespace without documents is refused, and says so', async () => {
  const memory = await shopMemory();
  const events = await collect(streamAnswer(memory.deps, 'acme', ask({ question: 'Refunds?', namespace: 'empty' })));
  checkPromises(events, memory.texts);
  expect(doneOf(events)).toMatchObject({ refused: true, grounded: false, citations: [] });
  expect(memory.metrics.recorded).toContain('rag refused extractive 0');
});

test('with the measured model a distant question is refused with what is missing, a nearer one is called weak', async () => {
  const memory = await shopMemory();
  // Questions stand to passages as their common words do; the thresholds are those of the default model.
  const embedder = createTermEmbedder('bge-small-en-v1.5-int8');
  const deps: RagDeps = { ...memory.deps, embedderFor: () => embedder };
  const distant = await answer(deps, 'acme', ask({ question: 'Do astronauts return shoes?' }));
  expect(distant).toMatchObject({ refused: true, citations: [] });
  expect(distant.answer).toMatch(/No passage that was found mentions: astronauts/);
  const weak = await answer(deps, 'acme', ask({ question: 'The shop opens at 9 tomorrow evening?' }));
  expect(weak.refused).toBe(false);
  expect(weak.answer).toMatch(/^The evidence is weak/);
  const strong = await answer(deps, 'acme', ask({ question: 'The shop opens at 9 in the morning?' }));
  expect(strong.answer).toMatch(/^The shop opens at 9 in the morning\. \[1\]/);
});

test('a model writes from the passages, and its words come as they are made', async () => {
  const memory = await shopMemory();
  const model = scriptedModel([
    'Refunds ',
    'are paid in ',
    '14 days [',
    '1',
    ']. See ![x](https://e.example/?q=14)[9]',
  ]);
  const deps = { ...memory.deps, languageModel: model };
  const events = await collect(streamAnswer(deps, 'acme', ask({ question: 'When are refunds paid?' })));
  checkPromises(events, memory.texts);
  const done = doneOf(events);
  expect(done.answer).toBe('Refunds are paid in 14 days [1]. See');
  expect(done.citations[0]).toMatchObject({
    marker: '[1]',
    documentId: 'returns',
    quote: 'Refunds are paid in 14 days.',
  });
  expect(done.usage).toEqual({ model: 'scripted', promptTokens: 10, completionTokens: 5 });
  expect(events.filter((event) => event.event === 'token').length).toBeGreaterThan(2);
  expect(JSON.stringify(model.prompts)).not.toContain('rivals');
  expect(memory.metrics.recorded).toContain('rag answered generative 0');
});

test('a sentence that its passage does not carry makes the answer ungrounded', async () => {
  const memory = await shopMemory();
  const languageModel = scriptedModel(['Refunds are paid in 77 days [1].']);
  const done = await answer({ ...memory.deps, languageModel }, 'acme', ask({ question: 'When are refunds paid?' }));
  expect(done).toMatchObject({ grounded: false, refused: false });
});

test('the model refuses by the agreed word, which nobody sees', async () => {
  const memory = await shopMemory();
  const languageModel = scriptedModel(['NO_', 'ANSWER: No passage ', 'says who owns the shop [1].']);
  const deps = { ...memory.deps, languageModel };
  const events = await collect(streamAnswer(deps, 'acme', ask({ question: 'Who owns the shop?' })));
  checkPromises(events, memory.texts);
  expect(doneOf(events)).toMatchObject({
    ...{ answer: 'No passage says who owns the shop.', refused: true, grounded: false, citations: [] },
  });
});

test('a model that is away leaves the extractive answer, and says so', async () => {
  const memory = await shopMemory();
  for (const script of [[away()], ['NO_', away()], []]) {
    const deps = { ...memory.deps, languageModel: scriptedModel(script) };
    const events = await collect(streamAnswer(deps, 'acme', ask({ question: 'When are refunds paid?' })));
    checkPromises(events, memory.texts);
    expect(doneOf(events)).toMatchObject({
      ...{ degraded: ['language_model_unavailable'], usage: { model: 'extractive' }, grounded: true },
    });
  }
  expect(memory.metrics.recorded).toContain('degraded language_model_unavailable');
});

test('a model that goes away in the middle is an error in a stream, and an extractive answer where nothing was seen', async () => {
  const memory = await shopMemory();
  const request = ask({ question: 'When are refunds paid?' });
  const deps = () => ({ ...memory.deps, languageModel: scriptedModel(['Refunds are paid ', away()]) });
  await expect(collect(streamAnswer(deps(), 'acme', request))).rejects.toMatchObject({
    code: 'dependency_unavailable',
  });
  expect(memory.metrics.recorded).toContain('rag failed generative 0');
  const done = await answer(deps(), 'acme', request);
  expect(done).toMatchObject({ degraded: ['language_model_unavailable'], usage: { model: 'extractive' } });
});

test('errors that are not the model being away are not hidden', async () => {
  const memory = await shopMemory();
  const languageModel = scriptedModel([new MemoryError('unprocessable', 'There is no such model.')]);
  const promise = answer({ ...memory.deps, languageModel }, 'acme', ask({ question: 'Refunds?' }));
  await expect(promise).rejects.toMatchObject({ code: 'unprocessable' });
  expect(memory.metrics.recorded).toContain('rag rejected generative 0');
});

test('a caller who has gone is counted apart from what we failed at', async () => {
  const memory = await shopMemory();
  const languageModel = scriptedModel([new MemoryError('cancelled', 'The caller has gone.')]);
  const promise = answer({ ...memory.deps, languageModel }, 'acme', ask({ question: 'When are refunds paid?' }));
  await expect(promise).rejects.toMatchObject({ code: 'cancelled' });
  expect(memory.metrics.recorded).toContain('rag cancelled generative 0');
});

test('in a conversation the model makes a question that stands alone, and both calls are counted', async () => {
  const memory = await shopMemory();
  const model = scriptedModel(['When are refunds paid?'], ['In 14 days [1].']);
  const history = [{ role: 'user' as const, content: 'Tell me of refunds.' }];
  const done = await answer({ ...memory.deps, languageModel: model }, 'acme', ask({ question: 'When?', history }));
  expect(memory.embedder.queries).toEqual(['When are refunds paid?']);
  expect(model.prompts[1]?.at(-1)?.content).toMatch(/Question: When\?$/);
  expect(done.usage).toEqual({ model: 'scripted', promptTokens: 20, completionTokens: 10 });
});

test('without a model the last question of the conversation is added', async () => {
  const memory = await shopMemory();
  const history = [
    { role: 'user' as const, content: 'Tell me of refunds.' },
    { role: 'assistant' as const, content: 'They are paid.' },
  ];
  const done = await answer(memory.deps, 'acme', ask({ question: 'In how many days?', history }));
  expect(memory.embedder.queries).toEqual(['Tell me of refunds.\nIn how many days?']);
  expect(done.citations[0]?.quote).toBe('Refunds are paid in 14 days.');
});

test('what was in quotes earlier in a conversation, or where a model likes them, need not be there', async () => {
  const memory = await shopMemory();
  const history = [{ role: 'user' as const, content: 'What is an "annual leave"?' }];
  const plain = await answer(memory.deps, 'acme', ask({ question: 'In how many days are refunds paid?', history }));
  expect(plain.citations[0]?.quote).toBe('Refunds are paid in 14 days.');
  const model = scriptedModel(['"When are refunds paid?"'], ['In 14 days [1].']);
  const done = await answer({ ...memory.deps, languageModel: model }, 'acme', ask({ question: 'When?', history }));
  expect(memory.embedder.queries.at(-1)).toBe('When are refunds paid?');
  expect(done.citations[0]?.quote).toBe('Refunds are paid in 14 days.');
});

test('what the question itself has in quotes must be there in a conversation too', async () => {
  const memory = await shopMemory();
  const history = [{ role: 'user' as const, content: 'Tell me of refunds.' }];
  const model = scriptedModel(['When are "no such refunds" paid?'], ['In 14 days [1].']);
  const request = ask({ question: 'When are "no such refunds" paid?', history });
  expect(await answer(memory.deps, 'acme', request)).toMatchObject({ refused: true });
  expect(await answer({ ...memory.deps, languageModel: model }, 'acme', request)).toMatchObject({ refused: true });
});

test('a model that was asked for by name and is not there is said to be missing', async () => {
  const memory = await shopMemory();
  const done = await answer(memory.deps, 'acme', ask({ question: 'When are refunds paid?', model: 'large' }));
  expect(done.degraded).toEqual(['language_model_unavailable']);
});

test.each(['🎉', '?!'])('%s asks nothing that could be answered', async (question) => {
  const memory = await shopMemory();
  const done = await answer(memory.deps, 'acme', ask({ question }));
  expect(done).toMatchObject({ refused: true, grounded: false, citations: [] });
});

test('overlapping passages give each sentence once', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Refunds take 14 days.' });
  await memory.store({ documentId: 'b', text: 'Refunds take 14 days.\n\nRefunds are sent by post.' });
  const done = await answer(memory.deps, 'acme', ask({ question: 'How long do refunds take?' }));
  expect(done.citations.map((citation) => citation.quote)).toEqual([
    'Refunds take 14 days.',
    'Refunds are sent by post.',
  ]);
});

/** A guide of three chunks with what a question asks for in the middle one. */
async function guideMemory() {
  const memory = createMemory();
  await memory.store({
    documentId: 'guide',
    text: 'The office is in the harbour.\n\nRefunds are paid in 14 days.\n\nThey are paid by post.',
  });
  await memory.store({ documentId: 'hours', text: 'The shop opens at 9 in the morning.' });
  return memory;
}

test('a model reads what is around the passages too, and may cite it', async () => {
  const memory = await guideMemory();
  const languageModel = scriptedModel(['Refunds are paid in 14 days [1]. They are paid by post [1].']);
  const deps = { ...memory.deps, languageModel };
  const events = await collect(streamAnswer(deps, 'acme', ask({ question: 'When are refunds paid?', topK: 1 })));
  checkPromises(events, memory.texts);
  expect(languageModel.prompts[0]?.at(-1)?.content).toContain('The office is in the harbour.');
  expect(doneOf(events)).toMatchObject({
    grounded: true,
    citations: [{ quote: 'Refunds are paid in 14 days.' }, { quote: 'They are paid by post.' }],
  });
});

test('an extractive answer in the place of a model that went away cites the sources that were shown', async () => {
  const memory = await guideMemory();
  const deps = { ...memory.deps, languageModel: scriptedModel([away()]) };
  const events = await collect(streamAnswer(deps, 'acme', ask({ question: 'Are refunds paid by post?' })));
  checkPromises(events, memory.texts);
  expect(doneOf(events).citations.map(({ quote }) => quote)).toEqual(
    expect.arrayContaining(['Refunds are paid in 14 days.', 'They are paid by post.']),
  );
});

test('with the embedding model away the answer is chosen by words, called weak, and says so', async () => {
  const memory = await shopMemory();
  memory.embedder.away = true;
  const done = await answer(memory.deps, 'acme', ask({ question: 'When are refunds paid?' }));
  expect(done).toMatchObject({ refused: false, degraded: ['embedder_unavailable'] });
  expect(done.answer).toMatch(/^The evidence is weak/);
  expect(done.citations[0]?.quote).toBe('Refunds are paid in 14 days.');
});
