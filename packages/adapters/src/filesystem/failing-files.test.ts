import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { createFilesystemBlobStore } from './blob-store.ts';
import { createDirectories } from './directories.ts';
import { fileFailure, isAbsent } from './file-errors.ts';
import { createNaming } from './naming.ts';
import { assertRoom } from './room.ts';

/** A file system that fails in other ways than by being full or having no such file: here by links that lead in a circle. */
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'failing-files-'));
  symlinkSync('loop', join(root, 'loop'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const bytes = Uint8Array.of(1, 2, 3);
const failed = { code: 'internal', message: 'The blob store failed.' };

async function keysOf(keys: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const key of keys) all.push(key);
  return all;
}

test('what cannot be read is never said to be absent, and what cannot be removed never to be gone', async () => {
  const store = createFilesystemBlobStore(root);
  await store.put('there', bytes);
  const calls: (() => Promise<unknown>)[] = [
    () => store.get('loop/x'),
    () => store.getRange('loop/x', 0, 1),
    () => store.getStream('loop/x'),
    () => store.has('loop/x'),
    () => store.localFile('loop/x'),
    () => keysOf(store.list('loop/')),
    () => store.put('loop/x', bytes),
    () => store.copy('loop/x', 'copy'),
    () => store.copy('there', 'loop/x'),
    () => store.move('loop/x', 'moved'),
    () => store.move('there', 'loop/x'),
    () => store.remove('loop/x'),
    () => store.removePrefix('loop/x/'),
  ];
  for (const call of calls) await expect(call()).rejects.toMatchObject(failed);
  expect(await keysOf(store.list(''))).toEqual(['there']);
  expect(await readdir(join(root, '.tmp'))).toEqual([]);
});

test('what is not there is told by copy and move', async () => {
  const store = createFilesystemBlobStore(root);
  await expect(store.copy('absent', 'copy')).rejects.toMatchObject({ code: 'not_found' });
  await expect(store.move('absent', 'moved')).rejects.toMatchObject({ code: 'not_found' });
});

test('a store whose folder cannot be made does not count as ready', async () => {
  const store = createFilesystemBlobStore(join(root, 'loop', 'blobs'));
  await expect(store.check()).rejects.toMatchObject(failed);
  await expect(store.put('a', bytes)).rejects.toMatchObject(failed);
});

test('of what others left, files that vanish meanwhile are passed over, and what cannot be looked at is told', async () => {
  await mkdir(join(root, '.tmp'));
  symlinkSync('gone', join(root, '.tmp', 'vanished'));
  await createFilesystemBlobStore(root).check();
  symlinkSync('odd', join(root, '.tmp', 'odd'));
  await expect(createFilesystemBlobStore(root).check()).rejects.toMatchObject(failed);
});

test('a disk without a block left does not count as ready', () => {
  expect(() => assertRoom({ bavail: 0 })).toThrow(expect.objectContaining({ code: 'dependency_unavailable' }));
  assertRoom({ bavail: 1 });
});

test('an error without a code is a fault of ours, and one that was mapped already stays as it is', () => {
  const odd = new Error('odd');
  expect([isAbsent(odd), fileFailure(odd)]).toEqual([false, expect.objectContaining({ ...failed, cause: odd })]);
  const mapped = new MemoryError('not_found', 'It is not there.');
  expect(fileFailure(mapped)).toBe(mapped);
});

test('a folder that cannot be synced is told, one that is gone by then is not', async () => {
  const naming = createNaming(createDirectories(root), (path) => `${path},new`);
  await expect(naming.settle(join(root, 'loop'))).rejects.toMatchObject(failed);
  await naming.settle(join(root, 'gone'));
});

test('a folder that somebody else has made is theirs to sync, and is known from then on', async () => {
  const directories = createDirectories(root);
  await mkdir(join(root, 'a'));
  directories.ensure(join(root, 'a'));
  await directories.sync(join(root, 'a'));
  rmSync(join(root, 'a'), { recursive: true });
  directories.ensure(join(root, 'a'));
  expect(existsSync(join(root, 'a'))).toBe(false);
  directories.forget(root);
  directories.ensure(join(root, 'a'));
  expect(existsSync(join(root, 'a'))).toBe(true);
});

test('a folder that was made, taken away and made again is durable with its next sync', async () => {
  const directories = createDirectories(root);
  const folder = join(root, 'a', 'b');
  directories.ensure(folder);
  rmSync(folder, { recursive: true });
  directories.forget(folder);
  directories.ensure(folder);
  await directories.sync(folder);
  expect(existsSync(folder)).toBe(true);
});

test('a folder whose name could not be made durable is made again when it is needed', async () => {
  const directories = createDirectories(root);
  const [parent, folder] = [join(root, 'a'), join(root, 'a', 'b')];
  directories.ensure(parent);
  await directories.sync(parent);
  // The sync of the parent that is under way may have begun before the folder came, so that another one is waited for.
  const before = directories.sync(parent);
  directories.ensure(folder);
  const durable = directories.sync(folder);
  rmSync(parent, { recursive: true });
  await expect(durable).rejects.toMatchObject({ code: 'ENOENT' });
  await before;
  directories.ensure(folder);
  expect(existsSync(folder)).toBe(true);
});
