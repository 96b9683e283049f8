import { expect, test } from '@jest/globals';
import { OpenAIError } from 'openai';
import { openaiFailure } from './failure.ts';

const rejected = 'unprocessable';
const named = (name: string) => Object.assign(new Error('x'), { name });

test.each([
  ['an error of the library', new OpenAIError('the stream ended')],
  ['one of fetch', named('TypeError')],
  ['what is no JSON', named('SyntaxError')],
  ['a body that was broken off', named('AbortError')],
])('%s is a connection that was lost', (_, thrown) => {
  expect(openaiFailure(thrown, { rejected })).toMatchObject({
    ...{ code: 'dependency_unavailable', message: 'The connection to the model was lost.', cause: thrown },
  });
});

test.each([
  ['a fault of ours', new RangeError('ours')],
  ['nothing', undefined],
])('%s passes through', (_, thrown) => {
  expect(openaiFailure(thrown, { rejected })).toBe(thrown);
});

test('where the caller has gone its own reason counts, whatever the library makes of it', () => {
  const reason = new Error('the reader has gone');
  expect(openaiFailure(named('AbortError'), { rejected, signal: AbortSignal.abort(reason) })).toBe(reason);
});
