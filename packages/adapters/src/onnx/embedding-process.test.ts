import { afterEach, expect, test } from '@jest/globals';
import { startEmbeddingProcess } from './embedding-process.ts';

const { execPath } = process;
afterEach(() => {
  process.execPath = execPath;
});

const ended = (modelPath: string) =>
  new Promise<string>((resolve, reject) =>
    startEmbeddingProcess({ modelPath }, { onReport: () => reject(new Error('it started')), onExit: resolve }),
  );

test('a program that is not there is told as the end of a process', async () => {
  // Also for the commands that isolate, which are tried with it.
  process.execPath = '/does/not/exist';
  expect(await ended('model.onnx')).toContain('ENOENT');
});

test('what the system refuses outright is told so too', async () => {
  // Longer than any argument may be.
  expect(await ended('x'.repeat(2 ** 20))).toContain('E2BIG');
});
