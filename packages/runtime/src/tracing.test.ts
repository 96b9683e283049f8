import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { recordSpans, type SpanRecorder } from './testing/span-recorder.ts';
import { inSpan, openSpan } from './tracing.ts';

let recorder: SpanRecorder;
beforeEach(() => {
  recorder = recordSpans();
});
afterEach(() => recorder.stop());

const named = (name: string) => recorder.spans().find((span) => span.name === name);

test('work inside of work is its child, and its result and its error come through', async () => {
  const result = await inSpan('outer', { attributes: { tier: 'parse' } }, () => inSpan('inner', {}, async () => 7));
  expect(result).toBe(7);
  const [outer, inner] = [named('outer'), named('inner')];
  expect(outer?.attributes).toEqual({ tier: 'parse' });
  expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
  const failure = new Error('no');
  await expect(inSpan('work', {}, () => Promise.reject(failure))).rejects.toBe(failure);
});

test('a span of another process is the parent, and what is no traceparent is not', async () => {
  const far = openSpan('far', { kind: 'producer' });
  await inSpan('near', { kind: 'consumer', parent: far.traceparent }, async () => {});
  far.end();
  const near = named('near');
  expect(near?.kind).toBe(SpanKind.CONSUMER);
  expect(near?.parentSpanContext).toMatchObject({ spanId: named('far')?.spanContext().spanId, isRemote: true });
  expect(near?.spanContext().traceId).toBe(named('far')?.spanContext().traceId);
  for (const parent of [
    '',
    'nonsense',
    `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`,
    `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  ]) {
    recorder.clear();
    await inSpan('alone', { parent }, async () => {});
    expect(named('alone')?.parentSpanContext).toBeUndefined();
  }
});

test('an error is recorded by its code, never by its message; one that makes way is none', async () => {
  const throwing = (name: string, error: Error) => inSpan(name, {}, () => Promise.reject(error)).catch(() => undefined);
  await throwing('coded', new MemoryError('corrupt_document', 'It says: my secret.'));
  await throwing('plain', new TypeError('my secret'));
  await throwing('yields', new MemoryError('internal', 'Others go first.', { retry: { kind: 'yield' } }));
  expect(named('coded')).toMatchObject({
    attributes: { 'error.type': 'corrupt_document' },
    status: { code: SpanStatusCode.ERROR },
  });
  expect(named('plain')?.attributes).toEqual({ 'error.type': 'TypeError' });
  expect(named('yields')?.status.code).toBe(SpanStatusCode.UNSET);
  const all = recorder.spans().map(({ attributes, events, status }) => ({ attributes, events, status }));
  expect(JSON.stringify(all)).not.toContain('secret');
});

test('without a tracing SDK there is no traceparent, and the work is done', async () => {
  await recorder.stop();
  expect(await inSpan('work', {}, async (span) => span.traceparent ?? 'none')).toBe('none');
});

test('a span is called what it turns out to be, and an error that has only a code is recorded by that', () => {
  const span = openSpan('GET', {});
  span.rename('GET /jobs/:id');
  span.fail({ code: '503' });
  span.end();
  expect(named('GET')).toBeUndefined();
  expect(named('GET /jobs/:id')?.attributes).toEqual({ 'error.type': '503' });
});
