import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, jest, test } from '@jest/globals';
import type { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { killsOf } from '@semantic-memory/shared/ingest/jobs/poison';
import { isolationReport } from '../child/isolation.ts';
import { EmbeddingPool } from './embedding-pool.ts';
import { modelFile } from './model-card.ts';

// The model takes its time to load on a busy machine.
jest.setTimeout(60_000);

const encode = (text: string) => ({
  tokenIds: Int32Array.from([101, ...Array.from(text, (letter) => letter.charCodeAt(0)), 102]),
  starts: Int32Array.from({ length: text.length }, (_, at) => at),
});

test('fails with a fault of ours where the model cannot be loaded, and tries again on the next call', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'broken-model-'));
  const modelPath = join(directory, 'model.onnx');
  await writeFile(modelPath, 'not a model');
  const pool = new EmbeddingPool({ processes: 1, modelPath, encode });
  for (let round = 0; round < 2; round++)
    await expect(pool.embed(['a text'])).rejects.toMatchObject({
      code: 'internal',
      retry: { kind: 'backoff' },
      cause: expect.objectContaining({ message: expect.stringContaining('model.onnx') }),
    });
  await expect(pool.ready()).rejects.toMatchObject({ code: 'internal' });
  await pool.close();
  await rm(directory, { recursive: true });
});

test.each([true, false])('gives way to other processes where it works in the background: %s', async (background) => {
  const pool = new EmbeddingPool({ processes: 1, modelPath: modelFile('model.onnx'), encode, background });
  await pool.ready();
  expect(getPriority(pool.pids[0]) > getPriority()).toBe(background);
  await pool.close();
});

test('gives up a text under which the process died three times, and no other', async () => {
  const pool = new EmbeddingPool({ processes: 1, modelPath: modelFile('model.onnx'), encode });
  await pool.ready();
  const poison = pool.embed(['x'.repeat(500)]);
  const innocent = pool.embed(['memory']);
  const outcome = poison.then(
    () => 'embedded',
    (error: MemoryError) => `${error.code}, ${killsOf(error)} killed`,
  );
  let settled = false;
  void outcome.then(() => {
    settled = true;
  });
  while (!settled) {
    const [pid] = pool.pids;
    await pool.ready();
    if (!settled && pool.pids[0] === pid) process.kill(pid!, 'SIGKILL');
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await outcome).toBe('internal, 3 killed');
  expect((await innocent)[0]?.vector).toHaveLength(384);
  await pool.close();
});

test('the text of another owner is next, also where the process has more of the first already', async () => {
  const pool = new EmbeddingPool({ processes: 1, modelPath: modelFile('model.onnx'), encode });
  await pool.ready();
  const order: string[] = [];
  const embed = async (owner: string, text: string) => {
    await pool.embed([text], { owner });
    order.push(owner);
  };
  await Promise.all([
    ...Array.from({ length: 5 }, () => embed('large', 'x'.repeat(300))),
    ...Array.from({ length: 2 }, () => embed('small', 'memory')),
  ]);
  expect(order).toEqual(['large', 'small', 'large', 'small', 'large', 'large', 'large']);
  await pool.close();
});

test('its processes have no secrets, and no network where the host allows that', async () => {
  process.env.CANARY_SECRET = 'canary-4711';
  const pool = new EmbeddingPool({ processes: 1, modelPath: modelFile('model.onnx'), encode });
  try {
    await pool.ready();
    const [pid] = pool.pids;
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
    const names = environment.split('\0').map((line) => line.split('=')[0]);
    // Those that begin with NODE_CHANNEL are the channel's own.
    expect(names.filter((name) => name && name !== 'PATH' && !name.startsWith('NODE_CHANNEL'))).toEqual([]);
    const isApart = (await readlink(`/proc/${pid}/ns/net`)) !== (await readlink('/proc/self/ns/net'));
    expect(isApart).toBe((await isolationReport()).network);
    // And it works.
    expect((await pool.embed(['memory']))[0]?.vector).toHaveLength(384);
  } finally {
    delete process.env.CANARY_SECRET;
    await pool.close();
  }
});

test('refuses work after it was closed, and what waited then', async () => {
  const pool = new EmbeddingPool({ processes: 1, modelPath: modelFile('model.onnx'), encode });
  const waiting = pool.embed(['memory']);
  const refused = expect(waiting).rejects.toMatchObject({ code: 'dependency_unavailable' });
  await pool.close();
  await refused;
  await expect(pool.embed(['memory'])).rejects.toMatchObject({ code: 'dependency_unavailable' });
  await expect(pool.ready()).rejects.toMatchObject({ code: 'dependency_unavailable' });
});

test('an embedding process ends when its parent goes, and not by a signal to the group', async () => {
  const program = fileURLToPath(new URL('./embedding-child.ts', import.meta.url));
  const child = fork(program, [modelFile('model.onnx')], {
    execArgv: ['--conditions=development'],
    env: {},
    serialization: 'advanced',
  });
  await once(child, 'message');
  child.kill('SIGTERM');
  child.kill('SIGINT');
  child.send({ id: 1, tokenIds: encode('still here').tokenIds });
  const [report] = await once(child, 'message');
  expect(report).toMatchObject({ kind: 'done', id: 1 });
  const exit = once(child, 'exit');
  child.disconnect();
  expect(await exit).toEqual([0, null]);
});
