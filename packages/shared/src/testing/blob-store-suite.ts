import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { BlobStore } from '../ports/blob-store.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

async function* parts(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield bytesOf(text);
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** What every blob store must do. `open` gives an empty one. */
export function blobStoreSuite(
  name: string,
  open: () => Promise<{ store: BlobStore; close: () => Promise<void> }>,
): void {
  describe(`the blob store ${name}`, () => {
    let store: BlobStore;
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ store, close } = await open());
    });
    afterEach(() => close());

    test('gives back what was written, the last time', async () => {
      await store.put('a/b', bytesOf('first, and longer'));
      await store.put('a/b', bytesOf('second'));
      expect(textOf(await store.get('a/b'))).toBe('second');
      expect(await store.has('a/b')).toBe(true);
    });

    test('writes several blobs together, small and large, over what was there', async () => {
      await store.put('a/small', bytesOf('before'));
      const large = new Uint8Array(200_000).fill(7);
      await store.putAll([
        { key: 'a/small', bytes: bytesOf('after') },
        { key: 'a/large', bytes: large },
        { key: 'b/other', bytes: bytesOf('elsewhere') },
      ]);
      expect(textOf(await store.get('a/small'))).toBe('after');
      expect((await store.get('a/large'))?.byteLength).toBe(large.byteLength);
      expect((await all(store.list(''))).sort()).toEqual(['a/large', 'a/small', 'b/other']);
    });

    test('gives a blob a second key that lives its own life', async () => {
      await store.put('a/first', bytesOf('same'));
      await store.put('b/second', bytesOf('other'));
      await store.copy('a/first', 'b/second');
      await store.copy('a/first', 'b/second');
      await store.put('a/first', bytesOf('changed'));
      expect(textOf(await store.get('b/second'))).toBe('same');
      await store.remove('a/first');
      expect(textOf(await store.get('b/second'))).toBe('same');
      await expect(store.copy('a/first', 'b/third')).rejects.toMatchObject({ code: 'not_found' });
      expect(await all(store.list('b/'))).toEqual(['b/second']);
    });

    test('moves a blob to another key, over what was there', async () => {
      await store.put('a/first', bytesOf('moved'));
      await store.put('b/second', bytesOf('other'));
      await store.move('a/first', 'b/second');
      expect(textOf(await store.get('b/second'))).toBe('moved');
      expect(await store.has('a/first')).toBe(false);
      await expect(store.move('a/first', 'b/second')).rejects.toMatchObject({ code: 'not_found' });
      expect(await all(store.list(''))).toEqual(['b/second']);
    });

    test('gives a part of a blob, as far as it goes', async () => {
      const long = Uint8Array.from({ length: 200_000 }, (_, at) => at % 251);
      await store.put('long', long);
      const part = async (start: number, end: number) => Buffer.from((await store.getRange('long', start, end)) ?? []);
      for (const [start, end] of [
        [0, 1],
        [3, 1000],
        [70_000, 199_999],
        [199_990, 300_000],
        [200_000, 200_001],
        [500_000, 600_000],
      ] as const)
        expect((await part(start, end)).equals(Buffer.from(long.subarray(start, end)))).toBe(true);
      await store.put('none', new Uint8Array());
      expect((await store.getRange('none', 0, 10))?.byteLength).toBe(0);
    });

    test('keeps empty blobs', async () => {
      await store.put('empty', new Uint8Array());
      expect((await store.get('empty'))?.byteLength).toBe(0);
      expect(await store.putStream('empty-stream', parts(), { maxBytes: 0 })).toMatchObject({ bytes: 0 });
      expect(await store.has('empty-stream')).toBe(true);
    });

    test('knows nothing of what was never written, nor of a folder', async () => {
      await store.put('a/b', bytesOf('x'));
      for (const key of ['c', 'a', 'a/b/c', 'a/c']) {
        expect(await store.get(key)).toBeUndefined();
        expect(await store.getStream(key)).toBeUndefined();
        expect(await store.getRange(key, 0, 1)).toBeUndefined();
        expect(await store.has(key)).toBe(false);
        await expect(store.localFile(key)).rejects.toMatchObject({ code: 'not_found' });
        await store.remove(key);
      }
      expect(textOf(await store.get('a/b'))).toBe('x');
    });

    test('lets exactly one of many racing writers create a blob', async () => {
      const won = await Promise.all(
        Array.from({ length: 20 }, (_, writer) => store.putIfAbsent('a/once', bytesOf(`writer ${writer}`))),
      );
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(textOf(await store.get('a/once'))).toBe(`writer ${won.indexOf(true)}`);
      expect(await store.putIfAbsent('a/once', bytesOf('late'))).toBe(false);
      await store.remove('a/once');
      expect(await store.putIfAbsent('a/once', bytesOf('again'))).toBe(true);
    });

    test('hashes and counts a stream while it writes it', async () => {
      const stored = await store.putStream('s', parts('one ', 'two ', 'three'), { maxBytes: 13 });
      expect(stored).toEqual({ bytes: 13, sha256: createHash('sha256').update('one two three').digest('hex') });
      const read = await store.getStream('s');
      expect(read?.bytes).toBe(13);
      expect(Buffer.concat(await all(read?.stream ?? parts())).toString()).toBe('one two three');
    });

    test('a stream that is written to be moved is there at once, and whole where it was moved to', async () => {
      const stored = await store.putStream('upload', parts('one ', 'two'), { maxBytes: 10, transient: true });
      expect(stored.bytes).toBe(7);
      await store.move('upload', 'kept/here');
      expect(await store.has('upload')).toBe(false);
      expect(Buffer.from((await store.get('kept/here')) ?? []).toString()).toBe('one two');
    });

    test('keeps nothing of a stream that is too large or breaks off, and what was there before stays', async () => {
      await store.put('s', bytesOf('before'));
      await expect(store.putStream('s', parts('12345', '67'), { maxBytes: 6 })).rejects.toMatchObject({
        code: 'request_too_large',
      });
      const broken = new Error('the sender went away');
      const breaking = async function* () {
        yield bytesOf('half');
        throw broken;
      };
      await expect(store.putStream('s', breaking(), { maxBytes: 100 })).rejects.toBe(broken);
      expect(textOf(await store.get('s'))).toBe('before');
      expect(await all(store.list(''))).toEqual(['s']);
    });

    test('lists the keys below a prefix, and only those', async () => {
      const keys = ['a/1', 'a/2/3', 'a/2/4/5', 'ab/1', 'b'];
      for (const key of keys) await store.put(key, bytesOf(key));
      expect((await all(store.list('a/'))).sort()).toEqual(['a/1', 'a/2/3', 'a/2/4/5']);
      expect((await all(store.list(''))).sort()).toEqual(keys);
      expect(await all(store.list('nothing/'))).toEqual([]);
    });

    test('has nothing left of blobs that are whole', async () => {
      await store.put('a/b', bytesOf('x'));
      await store.removeRemains('a/', () => true);
      expect(textOf(await store.get('a/b'))).toBe('x');
    });

    test('removes a prefix and says how many blobs that were', async () => {
      for (const key of ['a/1', 'a/2/3', 'a/2/4', 'ab/1']) await store.put(key, bytesOf(key));
      expect(await store.removePrefix('a/')).toBe(3);
      expect(await store.removePrefix('a/')).toBe(0);
      expect(await all(store.list(''))).toEqual(['ab/1']);
      await store.put('a/1', bytesOf('anew'));
      expect(textOf(await store.get('a/1'))).toBe('anew');
    });

    test('writes and removals of the same prefix at the same time leave no error and no half', async () => {
      const writes = Array.from({ length: 100 }, (_, n) => store.put(`r/${n % 3}/${n % 10}`, bytesOf('whole')));
      const removals = Array.from({ length: 20 }, () => store.removePrefix('r/'));
      await Promise.all([...writes, ...removals]);
      for await (const key of store.list('r/')) expect(textOf(await store.get(key))).toBe('whole');
      await store.removePrefix('r/');
      expect(await all(store.list('r/'))).toEqual([]);
    });

    test('gives a child process a file to read', async () => {
      await store.put('a/file', bytesOf('on disk'));
      const file = await store.localFile('a/file');
      expect(await readFile(file.path, 'utf8')).toBe('on disk');
      await file.dispose();
      expect(textOf(await store.get('a/file'))).toBe('on disk');
    });

    test.each(['', '/a', '../a', 'a/../../b', 'a//b', 'a/', './a', 'a/.', 'a\0b', 'x'.repeat(256)])(
      'refuses the key %j',
      async (key) => {
        const refused = { code: 'internal', retry: { kind: 'never' } };
        await expect(store.put(key, bytesOf('x'))).rejects.toMatchObject(refused);
        await expect(store.putIfAbsent(key, bytesOf('x'))).rejects.toMatchObject(refused);
        await expect(store.putStream(key, parts('x'), { maxBytes: 1 })).rejects.toMatchObject(refused);
        await expect(store.get(key)).rejects.toMatchObject(refused);
        await expect(store.remove(key)).rejects.toMatchObject(refused);
        await expect(store.localFile(key)).rejects.toMatchObject(refused);
      },
    );

    test('refuses a prefix without its slash, and to remove everything', async () => {
      await expect(store.removePrefix('a')).rejects.toMatchObject({ code: 'internal' });
      await expect(store.removePrefix('')).rejects.toMatchObject({ code: 'internal' });
      await expect(all(store.list('a'))).rejects.toMatchObject({ code: 'internal' });
    });

    test('answers when asked whether it is there', async () => {
      await store.check();
    });
  });
}
