import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { BlobStore } from '@semantic-memory/shared/ports/blob-store';
import { blobStoreSuite } from '@semantic-memory/shared/testing/blob-store-suite';
import { createFilesystemBlobStore } from './blob-store.ts';
import { fileFailure } from './file-errors.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'blob-store-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

blobStoreSuite('in a folder', async () => ({
  store: createFilesystemBlobStore(join(root, 'not', 'there', 'yet')),
  close: async () => {},
}));

const bytes = new TextEncoder().encode('bytes');
const temporaryFiles = () => readdir(join(root, '.tmp'));

test('leaves no temporary file behind, whether a write succeeds, loses or breaks off', async () => {
  const store = createFilesystemBlobStore(root);
  await store.put('a', bytes);
  await store.putIfAbsent('a', bytes);
  await store.putIfAbsent('b', bytes);
  const endless = async function* () {
    for (;;) yield bytes;
  };
  await expect(store.putStream('c', endless(), { maxBytes: 1_000 })).rejects.toThrow();
  await store.removePrefix('a/');
  expect(await temporaryFiles()).toEqual([]);
});

describe('what is half written when its prefix is removed by another process', () => {
  /** A blob whose second half comes when it is let go on. */
  function halfWritten(store: BlobStore, key: string) {
    const half = Promise.withResolvers<void>();
    const rest = Promise.withResolvers<void>();
    const stream = (async function* () {
      yield new Uint8Array(100_000);
      half.resolve();
      await rest.promise;
      yield bytes;
    })();
    const written = store.putStream(key, stream, { maxBytes: 1_000_000 });
    return { half: half.promise, finish: () => rest.resolve(), written };
  }

  test('is removed with it, and what is written elsewhere stays', async () => {
    const [writer, remover] = [createFilesystemBlobStore(root), createFilesystemBlobStore(root)];
    const inside = halfWritten(writer, 'a/b/c');
    const beside = halfWritten(writer, 'a,b/c');
    const sibling = halfWritten(writer, 'ab/c');
    await Promise.all([inside.half, beside.half, sibling.half]);
    expect(await temporaryFiles()).toHaveLength(3);
    expect(await remover.removePrefix('a/')).toBe(0);
    expect(await temporaryFiles()).toHaveLength(2);
    for (const each of [beside, sibling]) {
      each.finish();
      await each.written;
    }
    expect(await remover.has('a,b/c')).toBe(true);
    expect(await remover.has('ab/c')).toBe(true);
    inside.finish();
    await inside.written;
  });

  test('is as good as written before: its writer goes on, and nothing of it comes back', async () => {
    const [writer, remover] = [createFilesystemBlobStore(root), createFilesystemBlobStore(root)];
    const blob = halfWritten(writer, 'a/b/c');
    await blob.half;
    await remover.removePrefix('a/');
    blob.finish();
    await blob.written;
    expect(await temporaryFiles()).toEqual([]);
    expect(existsSync(join(root, 'a'))).toBe(false);
  });

  test('is an error where nobody removed it: the folder is gone, or a frozen writer was taken for a dead one', async () => {
    const store = createFilesystemBlobStore(root);
    const [lost, frozen] = [halfWritten(store, 'a/b'), halfWritten(store, 'a/c')];
    await Promise.all([lost.half, frozen.half]);
    const now = Date.now;
    await rm(join(root, '.tmp'), { recursive: true });
    lost.finish();
    await expect(lost.written).rejects.toMatchObject({ code: 'internal' });
    await mkdir(join(root, '.tmp'));
    Date.now = () => now() + 2 * 60 * 60 * 1000;
    try {
      frozen.finish();
      await expect(frozen.written).rejects.toMatchObject({ code: 'internal' });
    } finally {
      Date.now = now;
    }
  });
});

test('a blob that a power cut may undo is written once all the same', async () => {
  const store = createFilesystemBlobStore(root);
  const transient = { transient: true };
  expect(await store.putIfAbsent('a/b', bytes, transient)).toBe(true);
  expect(await store.putIfAbsent('a/b', Uint8Array.of(1), transient)).toBe(false);
  expect(await store.get('a/b')).toEqual(Buffer.from(bytes));
});

test('a key too long for the name of one file is written all the same', async () => {
  const store = createFilesystemBlobStore(root);
  const key = `${'a'.repeat(200)}/${'b'.repeat(200)}`;
  await store.put(key, bytes);
  expect(await store.has(key)).toBe(true);
});

test('removes what killed processes left an hour ago, and lets the rest be', async () => {
  const before = Date.now();
  await mkdir(join(root, '.tmp', 'folder'), { recursive: true });
  await writeFile(join(root, '.tmp', 'folder', 'part'), bytes);
  await writeFile(join(root, '.tmp', 'old'), bytes);
  // The change time cannot be set, so the store is shown a later clock.
  const now = Date.now;
  Date.now = () => before + 2 * 60 * 60 * 1000;
  try {
    await createFilesystemBlobStore(root).check();
    expect(await temporaryFiles()).toEqual([]);
  } finally {
    Date.now = now;
  }
  await writeFile(join(root, '.tmp', 'fresh'), bytes);
  await utimes(join(root, '.tmp', 'fresh'), 0, 0);
  await createFilesystemBlobStore(root).check();
  expect(await temporaryFiles()).toEqual(['fresh']);
});

test('what a killed process has left of a blob, or of a prefix that it was removing, goes where it is said to be gone', async () => {
  const leave = async (path: string) => {
    const folder = join(root, '.tmp', `${encodeURIComponent(path)},${randomUUID()}`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'part'), bytes);
  };
  for (const path of ['a/v1', 'a/v2/part', 'a/v10', 'ab/v1', 'a']) await leave(path);
  const asked: string[] = [];
  await createFilesystemBlobStore(root).removeRemains('a/', (key) => {
    asked.push(key);
    return key === 'a/v1' || key === 'a/v2/part';
  });
  expect(asked.sort()).toEqual(['a/v1', 'a/v10', 'a/v2/part']);
  const left = (await temporaryFiles()).map((name) => name.split(',')[0]).sort();
  expect(left).toEqual(['a', 'a%2Fv10', 'ab%2Fv1']);
});

test('never shows temporary files as blobs, nor takes a key among them', async () => {
  const store = createFilesystemBlobStore(root);
  await store.put('a', bytes);
  await writeFile(join(root, '.tmp', 'part'), bytes);
  const keys: string[] = [];
  for await (const key of store.list('')) keys.push(key);
  expect(keys).toEqual(['a']);
  await expect(store.get('.tmp/part')).rejects.toMatchObject({ code: 'internal' });
});

test('never follows a link to list or delete what lies elsewhere', async () => {
  const outside = await mkdtemp(join(tmpdir(), 'outside-'));
  await writeFile(join(outside, 'precious'), bytes);
  const store = createFilesystemBlobStore(root);
  await store.put('a/b', bytes);
  await symlink(outside, join(root, 'a', 'link'));
  expect(await store.removePrefix('a/')).toBe(1);
  expect(existsSync(join(outside, 'precious'))).toBe(true);
  await rm(outside, { recursive: true });
});

test('makes a folder again that another process has deleted', async () => {
  const store = createFilesystemBlobStore(root);
  const other = createFilesystemBlobStore(root);
  await store.put('a/b/c', bytes);
  await other.removePrefix('a/');
  await store.put('a/b/d', bytes);
  expect(await other.has('a/b/d')).toBe(true);
});

test('says that it is away while its folder is gone, and goes on once it is back', async () => {
  const store = createFilesystemBlobStore(root);
  await store.check();
  await rename(root, `${root}-gone`);
  await expect(store.check()).rejects.toMatchObject({ code: 'dependency_unavailable' });
  await rename(`${root}-gone`, root);
  await store.check();
});

test.each(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE'])('%s means that the store is away', (code) => {
  const cause = Object.assign(new Error(code), { code });
  expect(fileFailure(cause)).toMatchObject({ code: 'dependency_unavailable', retry: { kind: 'wait' }, cause });
});

test('a store below a file is away, not broken by the caller', async () => {
  await writeFile(join(root, 'file'), bytes);
  const store = createFilesystemBlobStore(join(root, 'file', 'blobs'));
  await expect(store.check()).rejects.toMatchObject({ code: 'dependency_unavailable' });
  await expect(store.put('a', bytes)).rejects.toThrow();
});
