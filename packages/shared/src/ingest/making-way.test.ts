import { afterEach, expect, jest, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../testing/in-memory-flow.ts';
import { onNext } from '../testing/on-next.ts';
import { vectorBatchSize } from './stored/artifacts.ts';
import { readText } from './versions/read-document.ts';

/*
 * Steps that last let others go first, and go on where they were.
 */

const section = (at: number) => `# Section ${at}\n\nThe lamp number ${at} burns at sea. It warns ships of rock ${at}.`;
const longText = Array.from({ length: 4 * vectorBatchSize }, (_, at) => section(at)).join('\n\n');

async function runUntil(flow: InMemoryFlow, step: string): Promise<void> {
  while (flow.queue.waiting[0]?.name !== step) await flow.runNext();
}

const jobOf = (flow: InMemoryFlow, id: string) => flow.ledger.getJob('acme', id);
const makesWay = { retry: { kind: 'yield' } };

afterEach(() => {
  jest.useRealTimers();
});

test('a long document makes way between two batches, and embeds none of them twice', async () => {
  const flow = createInMemoryFlow();
  const { id } = await flow.ingest(longText);
  await runUntil(flow, 'embed');
  flow.faults.othersWait = true;
  await expect(flow.runNext()).rejects.toMatchObject(makesWay);
  expect(flow.embedded.length).toBeGreaterThan(0);
  expect(flow.embedded.length).toBeLessThan(4 * vectorBatchSize);
  expect((await jobOf(flow, id))?.stages.find(({ name }) => name === 'embed')).toMatchObject({ attempts: 0 });
  flow.faults.othersWait = false;
  await flow.drain();
  expect(await jobOf(flow, id)).toMatchObject({ state: 'succeeded' });
  expect(new Set(flow.embedded).size).toBe(flow.embedded.length);
});

test('pages are read one by one where others wait, each of them once', async () => {
  const flow = createInMemoryFlow();
  const pages = ['one', 'two', 'three'];
  pages.forEach((text, at) => void flow.faults.ocr.set(at + 1, `Page ${text}.`));
  const { id } = await flow.ingest('\f\f');
  await runUntil(flow, 'ocr');
  flow.faults.othersWait = true;
  const asked: number[] = [];
  const { read } = flow.deps.ocr;
  Object.assign(flow.deps, {
    ocr: {
      ...flow.deps.ocr,
      read(input: Parameters<typeof read>[0], signal: AbortSignal) {
        function* seen() {
          for (const page of input.pages) {
            asked.push(page);
            yield page;
          }
        }
        return read({ ...input, pages: seen() }, signal);
      },
    },
  });
  await expect(flow.runNext()).rejects.toMatchObject(makesWay);
  expect(asked).toEqual([1]);
  await expect(flow.runNext()).rejects.toMatchObject(makesWay);
  flow.faults.othersWait = false;
  await flow.drain();
  expect(asked).toEqual([1, 2, 3]);
  expect(await jobOf(flow, id)).toMatchObject({ state: 'succeeded' });
  expect(await readText(flow.deps, 'acme', 'notes')).toBe('Page one.\n\nPage two.\n\nPage three.');
});

test('where all pages were read before a crash none is read again', async () => {
  const flow = createInMemoryFlow();
  flow.faults.ocr.set(1, 'Page one.');
  const { id } = await flow.ingest('\fTwo.');
  await runUntil(flow, 'ocr');
  const away = () => Promise.reject(new MemoryError('internal', 'The process dies.'));
  onNext(flow.ledger, 'updateJob', away);
  await expect(flow.runNext()).rejects.toBeInstanceOf(MemoryError);
  // What would be read now is nothing.
  flow.faults.ocr.clear();
  await flow.drain();
  expect(await jobOf(flow, id)).toMatchObject({ state: 'succeeded' });
  expect(await readText(flow.deps, 'acme', 'notes')).toBe('Page one.\n\nTwo.');
});

test('a document that waits for a parser makes way once others wait', async () => {
  const flow = createInMemoryFlow();
  const { id } = await flow.ingest('The harbour is open.');
  const { parser } = flow.deps;
  let waits: () => void = () => {};
  const isWaiting = new Promise<void>((resolve) => {
    waits = resolve;
  });
  Object.assign(flow.deps, {
    parser: {
      ...parser,
      parse: ({ waiting }: { waiting?: AbortSignal }) =>
        new Promise((_resolve, reject) => {
          waiting?.addEventListener('abort', () => reject(waiting.reason));
          waits();
        }),
    },
  });
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'setTimeout', 'clearTimeout'] });
  let isOver = false;
  const run = flow.runNext().finally(() => {
    isOver = true;
  });
  const ended = expect(run).rejects.toMatchObject(makesWay);
  await isWaiting;
  await jest.advanceTimersByTimeAsync(2000);
  expect(isOver).toBe(false);
  flow.faults.othersWait = true;
  await jest.advanceTimersByTimeAsync(500);
  await ended;
  jest.useRealTimers();
  Object.assign(flow.deps, { parser });
  flow.faults.othersWait = false;
  await flow.drain();
  expect(await jobOf(flow, id)).toMatchObject({ state: 'succeeded' });
});
