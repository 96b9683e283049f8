import { EventEmitter, once } from 'node:events';
import { expect, jest, test } from '@jest/globals';
import { serveBareModel } from './bare-model-server.ts';
import type { EmbeddingReport, EmbeddingTask } from './embedding-protocol.ts';
import { serveEmbeddings } from './embedding-server.ts';
import { modelFile, readModelCard } from './model-card.ts';

// The model takes its time to load on a busy machine.
jest.setTimeout(60_000);

/** What a child process has of its parent, in this process. */
class Channel extends EventEmitter {
  readonly argv: readonly string[];
  readonly ends: number[] = [];
  constructor(...args: string[]) {
    super();
    this.argv = ['node', 'program', ...args];
  }
  exit(code: number): void {
    this.ends.push(code);
  }
}

const modelPath = modelFile('model.onnx');
const tokenIds = Int32Array.of(101, 3638, 102);

async function serve(...args: string[]) {
  const channel = new Channel(modelPath, ...args);
  const reports: EmbeddingReport[] = [];
  const reported = new EventEmitter();
  await serveEmbeddings(channel, (report) => {
    reports.push(report);
    reported.emit('report');
  });
  const tell = (...tasks: EmbeddingTask[]) => {
    for (const task of tasks) channel.emit('message', task);
  };
  const until = async (count: number) => {
    while (reports.length < count) await once(reported, 'report');
    return reports;
  };
  return { channel, tell, until };
}

test('says that it is ready, then embeds what comes, each text of an owner without one before those that wait', async () => {
  const { tell, until } = await serve();
  tell({ id: 1, tokenIds }, { id: 2, tokenIds }, { id: 3, tokenIds, overtakes: true });
  const reports = await until(4);
  expect(reports[0]).toEqual({ kind: 'ready' });
  expect(reports.slice(1)).toMatchObject([
    { kind: 'done', id: 1, next: 3 },
    { kind: 'done', id: 3, next: 2 },
    { kind: 'done', id: 2, next: undefined },
  ]);
  tell({ id: 4, tokenIds });
  expect((await until(5)).at(-1)).toMatchObject({ kind: 'done', id: 4 });
});

test('gives vectors of tokens where it has a projection, and says what went wrong where it has none', async () => {
  const card = readModelCard();
  const { projection: file, dimension: to } = card.lateInteraction;
  const withProjection = await serve(JSON.stringify({ path: modelFile(file), from: card.dimension, to }));
  withProjection.tell({ id: 1, tokenIds, skip: 1 });
  const [, report] = await withProjection.until(2);
  expect(report).toMatchObject({ kind: 'done', id: 1, tokens: { scales: expect.objectContaining({ length: 1 }) } });
  const without = await serve();
  without.tell({ id: 1, tokenIds, skip: 1 }, { id: 2, tokenIds });
  expect((await without.until(3)).slice(1)).toMatchObject([
    { kind: 'failed', id: 1, next: 2, message: 'There is no projection of the token vectors.' },
    { kind: 'done', id: 2 },
  ]);
});

test('ends with the channel, and not by a signal to the group', async () => {
  const { channel } = await serve();
  channel.emit('SIGINT');
  channel.emit('SIGTERM');
  expect([channel.listenerCount('SIGINT'), channel.listenerCount('SIGTERM'), channel.ends]).toEqual([1, 1, []]);
  channel.emit('disconnect');
  expect(channel.ends).toEqual([0]);
});

test.each([[[tokenIds, tokenIds]], [[]]])('the measurement waits for its start, and for the end: %j', async (texts) => {
  const channel = new Channel();
  const said: string[] = [];
  const served = serveBareModel(channel, (word) => {
    said.push(word);
    if (word === 'ready') setImmediate(() => channel.emit('message', 'start'));
  });
  channel.emit('message', { modelPath, texts });
  await served;
  channel.emit('disconnect');
  expect([said, channel.ends]).toEqual([['ready', 'done'], [0]]);
});
