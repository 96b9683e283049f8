import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { folderBytes, watchFolderBytes } from './folder-size.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'folder-size-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('adds up all files below, and follows no link', async () => {
  await mkdir(join(folder, 'a', 'b'), { recursive: true });
  await writeFile(join(folder, 'a', 'b', 'c'), Buffer.alloc(1_000));
  await writeFile(join(folder, 'd'), Buffer.alloc(500));
  await symlink('/usr', join(folder, 'link'));
  const bytes = await folderBytes(folder);
  expect(bytes).toBeGreaterThanOrEqual(1_500);
  expect(bytes).toBeLessThan(1_600);
  expect(await folderBytes(join(folder, 'absent'))).toBe(0);
});

test('says when a folder has grown too large, and ends when it is told to', async () => {
  const growing = new AbortController();
  const exceeded = new Promise<void>((resolve) => {
    void watchFolderBytes(folder, 1_000, resolve, growing.signal);
  });
  await writeFile(join(folder, 'large'), Buffer.alloc(1_001));
  await exceeded;

  const ended = new AbortController();
  let called = false;
  const watch = watchFolderBytes(
    folder,
    10_000,
    () => {
      called = true;
    },
    ended.signal,
  );
  ended.abort();
  await watch;
  expect(called).toBe(false);
});

test('a folder that cannot be looked at is told', async () => {
  await symlink('loop', join(folder, 'loop'));
  await expect(folderBytes(join(folder, 'loop'))).rejects.toMatchObject({ code: 'ELOOP' });
  expect(await folderBytes(join(folder, 'gone'))).toBe(0);
});

test('files that vanish while they are counted count nothing', async () => {
  const files = Array.from({ length: 500 }, (_, at) => join(folder, `${at}`));
  await Promise.all(files.map((file) => writeFile(file, 'x')));
  const counted = folderBytes(folder);
  // By then it has begun, and has most of them before it.
  for (let look = 0; look < 3; look += 1) await readdir(folder);
  for (const file of files) rmSync(file);
  expect(await counted).toBeLessThan(500);
});
