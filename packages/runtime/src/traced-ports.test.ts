import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SpanKind } from '@opentelemetry/api';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { Embedder } from '@semantic-memory/shared/ports/embedder';
import type { LanguageModel } from '@semantic-memory/shared/ports/language-model';
import { createFakeEmbedder } from '@semantic-memory/shared/testing/fake-embedder';
import { createInMemoryLexicalIndex } from '@semantic-memory/shared/testing/in-memory-lexical-index';
import { createInMemoryQueue } from '@semantic-memory/shared/testing/in-memory-queue';
import { createInMemoryVectorIndex } from '@semantic-memory/shared/testing/in-memory-vector-index';
import { parseJobFor } from '@semantic-memory/shared/testing/job-queue-suite';
import { recordSpans, type SpanRecorder } from './testing/span-recorder.ts';
import { traceEmbedders } from './traced-embedder.ts';
import { traceLanguageModel } from './traced-language-model.ts';
import { messagingSpan, traceQueue } from './traced-queue.ts';
import { traceLexicalIndex, traceReranker } from './traced-search.ts';
import { traceVectorIndex } from './traced-vector-index.ts';
import { inSpan } from './tracing.ts';

let recorder: SpanRecorder;
beforeEach(() => {
  recorder = recordSpans();
});
afterEach(() => recorder.stop());

const named = (name: string) => recorder.spans().filter((span) => span.name === name);

test('a job carries the span that sent it, and the run that takes it up is its child', async () => {
  const inMemory = createInMemoryQueue();
  const queue = traceQueue(inMemory);
  await inSpan('request', {}, () => queue.add([parseJobFor('job_a'), parseJobFor('job_b')]));
  const taken = [inMemory.take(), inMemory.take()];
  for (const job of taken) {
    if (!job) throw new Error('nothing was added');
    const { name, options } = messagingSpan('process', job);
    await inSpan(name, { ...options, parent: job.traceparent }, async () => {});
  }
  const [request] = named('request');
  const sent = named('send ingest.parse');
  expect(sent.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual(
    [1, 2].map(() => request?.spanContext().spanId),
  );
  expect(named('process ingest.parse').map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual(
    sent.map((span) => span.spanContext().spanId),
  );
  expect(sent.map(({ kind, attributes }) => [kind, attributes['semantic_memory.job_id']])).toEqual([
    [SpanKind.PRODUCER, 'job_a'],
    [SpanKind.PRODUCER, 'job_b'],
  ]);
});

test('a queue that is away fails its spans and its caller', async () => {
  const inMemory = createInMemoryQueue();
  inMemory.unavailable = true;
  await expect(traceQueue(inMemory).add([parseJobFor()])).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(named('send ingest.parse')[0]?.attributes['error.type']).toBe('dependency_unavailable');
});

test('embeddings and the vector index have spans that say how much, and nothing of what', async () => {
  const embedderFor = traceEmbedders(() => createFakeEmbedder(undefined, { lateInteraction: true }));
  const embedder = embedderFor('any');
  await embedder.ready();
  const [vector] = await embedder.embedPassages(['a canary', 'another']);
  await embedder.embedQuery('a canary');
  await embedder.lateInteraction?.embedPassages(['a canary']);
  await embedder.lateInteraction?.embedQuery('a canary');
  const spans = named(`embeddings ${embedder.model}`);
  expect(spans.map(({ attributes }) => attributes['semantic_memory.texts'])).toEqual([2, 1, 1, 1]);
  const index = traceVectorIndex(createInMemoryVectorIndex());
  const key = { tenant: 't', namespace: 'n', model: embedder.model };
  const record = { chunkId: 'c', documentId: 'd', version: 1, index: 0, headings: [], start: 0, end: 8 };
  await index.addMissing(key, [{ ...record, text: 'a canary', vector: vector ?? new Float32Array() }]);
  expect(await index.query(key, { vector: vector ?? new Float32Array(), limit: 1 })).toHaveLength(1);
  expect(named('chroma upsert')[0]?.attributes).toMatchObject({
    'db.system.name': 'chroma',
    'db.operation.batch.size': 1,
  });
  expect(named('chroma query')).toHaveLength(1);
  expect(
    JSON.stringify(recorder.spans().map(({ name, attributes, events }) => [name, attributes, events])),
  ).not.toContain('canary');
});

test('a traced embedder is the embedder, and one that there is not is none', async () => {
  const none = traceEmbedders((): Embedder | undefined => undefined);
  expect(none('any')).toBeUndefined();
  const fake = createFakeEmbedder();
  const closed: string[] = [];
  const away = new MemoryError('dependency_unavailable', 'The endpoint is away.');
  const own = { ...fake, outage: () => away, close: async () => void closed.push(fake.model) };
  const embedderFor = traceEmbedders(() => own);
  const traced = embedderFor('any');
  expect(embedderFor('any')).toBe(traced);
  expect([traced.model, traced.dimension, traced.maxTokens]).toEqual([fake.model, fake.dimension, fake.maxTokens]);
  expect(traced.outage?.()).toBe(away);
  await traced.close();
  expect(closed).toEqual([fake.model]);
});

test('what reads, replaces and removes vectors has spans too, and does what it says', async () => {
  const index = traceVectorIndex(createInMemoryVectorIndex());
  const key = { tenant: 't', namespace: 'n', model: 'm' };
  const record = { chunkId: 'c', documentId: 'd', version: 1, index: 0, headings: [], start: 0, end: 8 };
  await index.replace(key, [{ ...record, text: 'a canary', vector: Float32Array.of(1, 0) }]);
  expect(await index.present(key, ['c', 'other'])).toEqual(new Set(['c']));
  expect([...(await index.vectorsOf(key, ['c'])).keys()]).toEqual(['c']);
  expect(await index.removeDocument(key, 'd')).toBe(1);
  expect(await index.count(key)).toBe(0);
  expect(recorder.spans().map(({ name, attributes }) => [name, attributes['db.operation.batch.size']])).toEqual([
    ['chroma upsert', 1],
    ['chroma get', 2],
    ['chroma get', 1],
    ['chroma delete', undefined],
  ]);
});

test('the search by words and the second look have spans, and do what they say', async () => {
  const inMemory = createInMemoryLexicalIndex();
  const lexical = traceLexicalIndex(inMemory);
  const scope = { tenant: 't', namespace: 'n' };
  const prepared = await lexical.prepare(scope, [{ terms: new Map([['canary', 1]]), length: 1 }]);
  inMemory.follow(() => new Map([['d', 1]]));
  inMemory.activate(scope, 'd', 1, prepared);
  const terms = [{ term: 'canary', weight: 1, common: false }];
  const { hits } = await lexical.rank(scope, { terms, limit: 1 });
  expect(hits).toMatchObject([{ documentId: 'd' }]);
  expect(await lexical.score(scope, terms, hits)).toEqual([hits[0]?.score]);
  const passages = [{ documentId: 'd', version: 1, index: 0, title: 'a canary', text: 'a canary' }];
  const reranker = traceReranker({ depth: 5, weight: 1, suits: () => true, rerank: async () => ({ scores: [0.5] }) });
  expect(reranker.depth).toBe(5);
  const query = { tenant: 't', model: 'm', text: 'a canary' };
  expect(await reranker.rerank(query, passages)).toEqual({ scores: [0.5] });
  const spans = recorder.spans().map(({ name, attributes, events }) => ({ name, attributes, events }));
  expect(spans.map(({ name }) => name)).toEqual([
    'redis write_postings',
    'redis rank_words',
    'redis score_words',
    'rerank',
  ]);
  expect(spans[3]?.attributes).toEqual({ 'semantic_memory.passages': 1 });
  expect(JSON.stringify(spans)).not.toContain('canary');
});

test('a job of no document has a span without one, and where nothing is traced it carries none', async () => {
  const inMemory = createInMemoryQueue();
  const queue = traceQueue(inMemory);
  await queue.add([{ name: 'expire', payload: { schemaVersion: 1 } }]);
  expect(Object.keys(named('send ingest.expire')[0]?.attributes ?? {})).not.toContain('semantic_memory.job_id');
  expect(inMemory.take()?.traceparent).toMatch(/^00-/);
  await recorder.stop();
  await queue.add([{ name: 'expire', payload: { schemaVersion: 1 } }]);
  expect(inMemory.take()).not.toHaveProperty('traceparent');
});

test('a language model that goes away fails its span and its caller', async () => {
  const away = new MemoryError('dependency_unavailable', 'The model is away.');
  const model: LanguageModel = {
    model: 'm',
    async *stream() {
      yield 'a ';
      throw away;
    },
  };
  const words = traceLanguageModel(model).stream([], {});
  await words.next();
  await expect(words.next()).rejects.toBe(away);
  expect(named('chat m')[0]).toMatchObject({ ended: true, attributes: { 'error.type': 'dependency_unavailable' } });
});

test('what a language model writes is one span, from the question to the last word, also where nobody listens on', async () => {
  const model: LanguageModel = {
    model: 'm',
    async *stream() {
      yield 'a ';
      yield 'canary';
      return { promptTokens: 5, completionTokens: 2 };
    },
  };
  const traced = traceLanguageModel(model);
  const words: string[] = [];
  for await (const word of traced.stream([], {})) words.push(word);
  expect(words).toEqual(['a ', 'canary']);
  for await (const word of traced.stream([], {})) {
    expect(word).toBe('a ');
    break;
  }
  const [whole, left] = named('chat m');
  expect(whole?.attributes).toMatchObject({ 'gen_ai.usage.input_tokens': 5, 'gen_ai.usage.output_tokens': 2 });
  expect(left?.ended).toBe(true);
});
