import { expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { fromErrorMessage, toErrorMessage } from './messages.ts';

/** An error on its way from a child to its parent: Node's channel carries JSON. */
const sent = (error: MemoryError) => fromErrorMessage(JSON.parse(JSON.stringify(toErrorMessage(error))));

test('an error arrives with all that it says, and its cause as text', () => {
  const cause = new TypeError('the font has no glyphs');
  const arrived = sent(
    new MemoryError('corrupt_document', 'It is damaged.', {
      hint: 'Save it again.',
      details: { page: 3 },
      retry: { kind: 'backoff' },
      cause,
    }),
  );
  expect(arrived).toMatchObject({
    code: 'corrupt_document',
    message: 'It is damaged.',
    hint: 'Save it again.',
    details: { page: 3 },
    retry: { kind: 'backoff' },
  });
  expect((arrived.cause as Error).message).toBe(cause.stack);
});

test('an error that says little arrives with no more', () => {
  const arrived = sent(new MemoryError('unsupported_type', 'It is a film.', { cause: 'no error at all' }));
  expect(arrived).toMatchObject({ code: 'unsupported_type', message: 'It is a film.', retry: { kind: 'never' } });
  expect([arrived.hint, arrived.details, arrived.cause]).toEqual([undefined, undefined, undefined]);
});

test('of a cause without a stack the message arrives', () => {
  const cause = new Error('thrown by a library that keeps no stacks');
  delete cause.stack;
  const arrived = sent(new MemoryError('internal', 'It failed.', { cause }));
  expect((arrived.cause as Error).message).toBe('thrown by a library that keeps no stacks');
});
