import { PassThrough } from 'node:stream';
import { expect, jest, test } from '@jest/globals';
import { createLogger } from './logger.ts';
import { recordSpans } from './testing/span-recorder.ts';
import { inSpan } from './tracing.ts';

function capture(level: 'debug' | 'info' = 'info', format: 'json' | 'pretty' = 'json') {
  const destination = new PassThrough();
  let text = '';
  destination.on('data', (piece) => {
    text += piece;
  });
  return { logger: createLogger({ level, format, module: 'api', destination }), lines: () => text.trim().split('\n') };
}

test('an event is one JSON line with the public field names', () => {
  const { logger, lines } = capture();
  const ofRequest = logger.child({ requestId: 'r1', module: 'http' });
  ofRequest.info('accepted', { jobId: 'j1', documentId: 'd1', tier: 'parse', attempt: 2, durationMs: 5 });
  const line = JSON.parse(lines()[0] ?? '');
  expect(Number.isNaN(Date.parse(line.timestamp))).toBe(false);
  expect(line).toMatchObject({
    level: 'info',
    module: 'http',
    message: 'accepted',
    request_id: 'r1',
    job_id: 'j1',
    document_id: 'd1',
    tier: 'parse',
    attempt: 2,
    durationMs: 5,
  });
});

test('an error keeps its causes, and a field cannot take the place of the message', () => {
  const { logger, lines } = capture();
  logger.error('failed\nbadly', { error: new Error('outer', { cause: new Error('inner') }), message: 'other' });
  expect(lines()).toHaveLength(1);
  const line = JSON.parse(lines()[0] ?? '');
  expect(line).toMatchObject({ message: 'failed\nbadly', error: { message: 'outer', cause: { message: 'inner' } } });
});

test('what is below the level is not written', () => {
  const { logger, lines } = capture();
  logger.debug('quiet');
  expect(lines()).toEqual(['']);
});

test('the pretty format is text', () => {
  const { logger, lines } = capture('info', 'pretty');
  logger.info('started', { port: 1 });
  expect(lines()[0]).toMatch(/info {2}api: started port=1$/);
});

test('the pretty format shows an error below its line, whatever it is', () => {
  const { logger, lines } = capture('info', 'pretty');
  logger.warn('failed', { error: new TypeError('no') });
  expect(lines().slice(0, 2)).toEqual([
    expect.stringMatching(/warn {2}api: failed$/),
    expect.stringMatching(/^ {2}TypeError: no$/),
  ]);
  const last = (error: unknown) => {
    logger.error('failed', { error });
    return lines().at(-1);
  };
  expect(last({ message: 'no stack' })).toBe('  no stack');
  expect(last({ code: 7 })).toBe('  {"code":7}');
});

test('an error keeps the code that it came with', () => {
  const { logger, lines } = capture();
  logger.error('failed', { error: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) });
  expect(JSON.parse(lines()[0] ?? '').error).toMatchObject({ code: 'ECONNREFUSED', message: 'refused' });
});

test('a line inside of traced work names its span', async () => {
  const recorder = recordSpans();
  try {
    const { logger, lines } = capture();
    await inSpan('work', {}, async () => logger.info('inside'));
    const [span] = recorder.spans();
    expect(JSON.parse(lines()[0] ?? '')).toMatchObject({
      trace_id: span?.spanContext().traceId,
      span_id: span?.spanContext().spanId,
    });
  } finally {
    await recorder.stop();
  }
});

test('without a destination the lines go to standard output', () => {
  const written: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  try {
    createLogger({ level: 'info', module: 'api' }).info('started');
  } finally {
    write.mockRestore();
  }
  expect(written.join('')).toContain('"message":"started"');
});
