import { afterEach, expect, jest, test } from '@jest/globals';
import { EmbeddingPool, type EmbeddingPoolOptions } from './embedding-pool.ts';
import { modelFile } from './model-card.ts';

/** Processes that hang or go away, texts that the model cannot read, and callers that leave. */
// The model takes its time to load on a busy machine.
jest.setTimeout(60_000);

const encode = (text: string) => ({
  tokenIds: Int32Array.from([101, ...Array.from(text, (letter) => letter.charCodeAt(0)), 102]),
  starts: Int32Array.from({ length: text.length }, (_, at) => at),
});

let pool: EmbeddingPool;
const create = (options: Partial<EmbeddingPoolOptions> = {}) => {
  pool = new EmbeddingPool({ processes: 1, modelPath: modelFile('model.onnx'), encode, ...options });
  return pool;
};
afterEach(async () => {
  jest.useRealTimers();
  await pool.close();
});

/** Only what waits: processes go on in real time. */
const fakeWaits = () =>
  jest.useFakeTimers({
    doNotFake: ['Date', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate', 'setInterval'],
  });

test.each([
  [5_000, 'that somebody waits for', {}],
  [60_000, 'of the background', { background: true }],
] as const)(
  'after %i ms a process %s that hangs over a text is replaced, and the text is run again',
  async (hangMs, _, options) => {
    create(options);
    const ready = pool.ready();
    // They start once the host was asked what it allows.
    expect(pool.pids).toEqual([]);
    await ready;
    const [pid] = pool.pids;
    process.kill(pid!, 'SIGSTOP');
    fakeWaits();
    const embedded = pool.embed(['memory']);
    jest.advanceTimersByTime(hangMs - 1);
    await new Promise(setImmediate);
    expect(pool.pids).toEqual([pid]);
    jest.advanceTimersByTime(1);
    expect((await embedded)[0]?.vector).toHaveLength(384);
    expect(pool.pids).not.toContain(pid);
  },
);

test('a process that hangs while it loads the model is replaced', async () => {
  create();
  fakeWaits();
  const embedded = pool.embed(['memory']);
  while (pool.pids.length === 0) await new Promise(setImmediate);
  const [pid] = pool.pids;
  process.kill(pid!, 'SIGSTOP');
  jest.advanceTimersByTime(60_000);
  expect((await embedded)[0]?.vector).toHaveLength(384);
  expect(pool.pids).not.toContain(pid);
});

test('a process that does not hear that it is closed is ended', async () => {
  create();
  await pool.ready();
  const [pid] = pool.pids;
  process.kill(pid!, 'SIGSTOP');
  fakeWaits();
  const closed = pool.close();
  jest.advanceTimersByTime(2000);
  await closed;
  expect(() => process.kill(pid!, 0)).toThrow('ESRCH');
});

test('a process that goes away while nobody waits is not missed before the next text', async () => {
  create();
  await pool.ready();
  process.kill(pool.pids[0]!, 'SIGKILL');
  while (pool.pids.length > 0) await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(pool.pids).toEqual([]);
  expect((await pool.embed(['memory']))[0]?.vector).toHaveLength(384);
});

test('a text that the model cannot read fails alone', async () => {
  create({
    encode: (text) => (text === 'odd' ? { ...encode(text), tokenIds: Int32Array.of(10_000_000) } : encode(text)),
  });
  const [odd, good] = [pool.embed(['odd']), pool.embed(['memory'])];
  await expect(odd).rejects.toMatchObject({
    ...{ code: 'internal', message: expect.stringContaining('The embedding model failed: ') },
  });
  expect((await good)[0]?.vector).toHaveLength(384);
});

test('the text of an owner that has left is passed over where it would have been next', async () => {
  create();
  await pool.ready();
  const [pid] = pool.pids;
  // Nothing ends before all have come.
  process.kill(pid!, 'SIGSTOP');
  const embed = (owner: string, signal?: AbortSignal) => pool.embed(['memory'], { owner, signal });
  const leaving = new AbortController();
  const served = ['large', 'large', 'large', 'small'].map((owner) => embed(owner));
  const left = embed('third', leaving.signal);
  served.push(embed('fourth'));
  leaving.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  process.kill(pid!, 'SIGCONT');
  for (const [embedded] of await Promise.all(served)) expect(embedded?.vector).toHaveLength(384);
});

test('a pool that is closed tells those who wait, and not again who has left', async () => {
  create();
  await pool.ready();
  const leaving = new AbortController();
  const [left, waiting] = [pool.embed(['memory'], { signal: leaving.signal }), pool.embed(['memory'])];
  const outcomes = Promise.allSettled([left, waiting]);
  leaving.abort(new Error('left'));
  await pool.close();
  expect(await outcomes).toMatchObject([
    { reason: { message: 'left' } },
    { reason: { code: 'dependency_unavailable', message: 'The embedding model was stopped.' } },
  ]);
});
