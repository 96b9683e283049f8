import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { documentIdOf, findFiles } from './find-files.ts';
import { inParallel } from './in-parallel.ts';

test('files below a folder come by name; what is hidden, linked or no file is left out', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'find-files-'));
  const socket = createServer();
  try {
    await mkdir(join(folder, 'b'));
    await mkdir(join(folder, 'node_modules'));
    // The last two come the other way round from the file system, which compares bytes.
    for (const name of ['c.txt', 'b/d.txt', 'a.txt', '.hidden', 'node_modules/x.js', '\u{1f600}', '\uff21']) {
      await writeFile(join(folder, name), name);
    }
    await symlink(folder, join(folder, 'round'));
    await new Promise<void>((resolve) => socket.listen(join(folder, 'socket'), resolve));
    expect((await findFiles(folder)).map(({ name }) => name)).toEqual([
      ...['a.txt', 'b/d.txt', 'c.txt', '\u{1f600}', '\uff21'],
    ]);
    expect(await findFiles(join(folder, 'c.txt'))).toEqual([{ path: join(folder, 'c.txt'), name: 'c.txt' }]);
    expect(await findFiles(join(folder, 'socket'))).toEqual([]);
  } finally {
    await new Promise((resolve) => socket.close(resolve));
    await rm(folder, { recursive: true });
  }
});

test('a path becomes an id that the service accepts, the same for the same path', () => {
  expect(documentIdOf('reports/Summary 2026.pdf')).toBe('reports-Summary-2026.pdf');
  expect(documentIdOf('reports/Résumé.pdf')).toMatch(/^reports-R-sum-\.pdf-[0-9a-f]{16}$/);
  expect(documentIdOf('reports/Résumé.pdf'.normalize('NFD')).slice(-16)).toBe(
    documentIdOf('reports/Résumé.pdf').slice(-16),
  );
  expect(documentIdOf('x'.repeat(300))).toHaveLength(200);
  expect(documentIdOf('')).toBe('document');
});

test('paths whose letters no id may have, and long ones that end alike, have ids of their own', () => {
  const paths = ['报告.pdf', '合同.pdf', 'ü.pdf', 'ö.pdf', `a${'x'.repeat(300)}`, `b${'x'.repeat(300)}`];
  expect(new Set(paths.map(documentIdOf)).size).toBe(paths.length);
});

test('work runs at most so many at a time and gives results in order', async () => {
  let running = 0;
  let most = 0;
  const results = await inParallel([3, 1, 2, 0], 2, async (ms) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, ms));
    running -= 1;
    return ms * 10;
  });
  expect(results).toEqual([30, 10, 20, 0]);
  expect(most).toBe(2);
});

test('after an error nothing else is begun', async () => {
  const begun: number[] = [];
  const work = inParallel([1, 2, 3, 4], 1, async (item) => {
    begun.push(item);
    if (item === 2) throw new Error('two');
  });
  await expect(work).rejects.toThrow('two');
  expect(begun).toEqual([1, 2]);
});

test('after an error the other lanes begin nothing either', async () => {
  const begun: number[] = [];
  let ended: () => void = () => undefined;
  const slow = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const work = inParallel([1, 2, 3], 2, async (item) => {
    begun.push(item);
    if (item === 2) throw new Error('two');
    await slow;
  });
  await expect(work).rejects.toThrow('two');
  ended();
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun).toEqual([1, 2]);
});
