import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import { createInMemoryFlow } from '../testing/in-memory-flow.ts';
import { createInMemoryQuotas } from '../testing/in-memory-quotas.ts';

const first = { attempt: 1, lastAttempt: false };

async function stateOf(flow: ReturnType<typeof createInMemoryFlow>, jobId: string) {
  const { state, stages } = (await flow.ledger.getJob('acme', jobId)) ?? {};
  return { state, waits: stages?.find((stage) => stage.state === 'waiting')?.name };
}

test('pages count when they are parsed; a document that comes after the last one waits, looks again and goes on', async () => {
  const quotas = createInMemoryQuotas({ pages: 3 });
  const flow = createInMemoryFlow({ quotas });
  await flow.ingest('One.\fTwo.\fThree.\fFour.', { documentId: 'long' });
  await flow.drain();
  expect(quotas.left.pages).toBe(-1);
  const next = await flow.ingest('Five.', { documentId: 'next' });
  await expect(flow.runNext(first)).rejects.toMatchObject({
    code: 'rate_limited',
    retry: { kind: 'wait', afterMs: 60_000 },
  });
  expect(await stateOf(flow, next.id)).toEqual({ state: 'waiting', waits: 'parse' });
  quotas.left.pages = 3;
  await flow.drain();
  expect(await stateOf(flow, next.id)).toEqual({ state: 'succeeded', waits: undefined });
  expect(quotas.left.pages).toBe(2);
});

test('tokens count before they are embedded, once, and come back where the model fails', async () => {
  const quotas = createInMemoryQuotas({ tokens: 1000 });
  const flow = createInMemoryFlow({ quotas });
  const job = await flow.ingest('The harbour is open.');
  flow.faults.embed = new MemoryError('dependency_unavailable', 'The model is away.');
  await flow.runNext(first);
  await expect(flow.runNext(first)).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(quotas.left.tokens).toBe(1000);
  await flow.drain();
  const used = 1000 - (quotas.left.tokens ?? 0);
  expect(used).toBeGreaterThan(0);
  // The same text again has its vectors.
  await flow.ingest('The harbour is open.');
  await flow.drain();
  expect(1000 - (quotas.left.tokens ?? 0)).toBe(used);
  quotas.left.tokens = 0;
  const other = await flow.ingest('The harbour is closed.', { documentId: 'other' });
  await flow.runNext(first);
  const before = flow.embedded.length;
  await expect(flow.runNext(first)).rejects.toMatchObject({ code: 'rate_limited' });
  expect(flow.embedded).toHaveLength(before);
  expect(await stateOf(flow, other.id)).toEqual({ state: 'waiting', waits: 'embed' });
  expect(await stateOf(flow, job.id)).toEqual({ state: 'succeeded', waits: undefined });
});

test('what is fetched counts once it is here; where nothing is left nobody is asked for it', async () => {
  const quotas = createInMemoryQuotas({ bytes: 5 });
  const flow = createInMemoryFlow({ quotas });
  let asked = 0;
  flow.deps.web.fetch = async (url) => {
    asked += 1;
    return { body: ReadableStream.from([new TextEncoder().encode('The harbour.')]), finalUrl: url };
  };
  const source = { type: 'url', url: 'https://example.com/a.txt' } as const;
  const accept = (documentId: string) => flow.ingest('', { documentId, source, original: undefined });
  await accept('one');
  await flow.runNext(first);
  expect(quotas.left.bytes).toBe(5 - 12);
  await accept('two');
  // The first one's next step, then the second one's first.
  await flow.runNext(first);
  while (asked === 1 && flow.queue.waiting[0]?.name !== 'fetch') await flow.runNext(first);
  await expect(flow.runNext(first)).rejects.toMatchObject({ code: 'rate_limited' });
  expect(asked).toBe(1);
});
