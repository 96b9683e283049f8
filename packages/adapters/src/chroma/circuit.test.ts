import { expect, test } from '@jest/globals';
import { ChromaNotFoundError, ChromaRateLimitError } from 'chromadb';
import { createCircuit, withDeadline } from './circuit.ts';

const timing = { heartbeatMs: 1000, openMs: 5 };

test('a long call goes on for as long as the server’s heart beats, be it late once in a while', async () => {
  const enough = Promise.withResolvers<void>();
  let beats = 0;
  const circuit = createCircuit(async () => {
    beats += 1;
    if (beats === 6) enough.resolve();
    // Never twice in a row.
    if (beats % 2 === 0) throw new Error('late');
  }, timing);
  const result = await circuit.run(60_000, async (signal) => {
    await enough.promise;
    return signal.aborted ? 'given up' : 'done';
  });
  expect([result, circuit.outage()]).toEqual(['done', undefined]);
});

test('a heartbeat that is answered after the call has ended is of no interest', async () => {
  const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let beats = 0;
  const circuit = createCircuit(() => {
    beats += 1;
    asked.resolve();
    return answered.promise;
  }, timing);
  expect(await circuit.run(60_000, () => asked.promise.then(() => 'done'))).toBe('done');
  answered.resolve();
  await new Promise((resolve) => setTimeout(resolve, 4 * timing.openMs));
  expect(beats).toBe(1);
});

test.each([
  ['a body that was broken off', Object.assign(new TypeError('terminated')), 'dependency_unavailable'],
  ['another fault of ours', new TypeError('x is not a function'), 'internal'],
  ['what is no error at all', 'odd', 'internal'],
  ['a server that wants fewer calls', new ChromaRateLimitError('slow down'), 'dependency_unavailable'],
])('%s: %s means %s', async (_, thrown, code) => {
  await expect(withDeadline(1000, () => Promise.reject(thrown))).rejects.toMatchObject({ code });
});

test('what is not there is for the caller to judge', async () => {
  const thrown = new ChromaNotFoundError('no such collection');
  await expect(withDeadline(1000, () => Promise.reject(thrown))).rejects.toBe(thrown);
});
