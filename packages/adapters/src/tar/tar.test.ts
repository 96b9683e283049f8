import { expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { ArchiveEntry } from '@semantic-memory/shared/ports/archive';
import { packTar } from 'modern-tar';
import { readTar } from './read-tar.ts';
import { writeTar } from './write-tar.ts';

async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function* pieces(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function* entriesOf(files: Record<string, string>): AsyncGenerator<ArchiveEntry> {
  for (const [name, text] of Object.entries(files)) {
    const bytes = Buffer.from(text);
    yield { name, bytes: bytes.length, body: pieces(bytes) };
  }
}

const whole = async (stream: AsyncIterable<Uint8Array>) => Buffer.concat(await collected(stream));

async function read(archive: Uint8Array): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const { name, body } of readTar(pieces(archive))) files[name] = (await whole(body)).toString();
  return files;
}

const files = { 'a.json': '{}', 'documents/00000001/original': 'x'.repeat(5000), empty: '' };

test('what is written is read again, file by file', async () => {
  expect(await read(await whole(writeTar(entriesOf(files))))).toEqual(files);
});

test('a file that nobody reads is passed over', async () => {
  const archive = await whole(writeTar(entriesOf(files)));
  const names: string[] = [];
  for await (const { name } of readTar(pieces(archive))) names.push(name);
  expect(names).toEqual(Object.keys(files));
});

test('an archive is made only as fast as it is taken', async () => {
  let made = 0;
  async function* many(): AsyncGenerator<ArchiveEntry> {
    for (let at = 0; at < 100; at += 1) {
      made += 1;
      yield { name: `file-${at}`, bytes: 2 ** 20, body: pieces(new Uint8Array(2 ** 20), 2 ** 16) };
    }
  }
  const archive = writeTar(many())[Symbol.asyncIterator]();
  await archive.next();
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(made).toBeLessThan(20);
  await archive.return?.();
});

test('an error of what is packed breaks the archive off', async () => {
  async function* failing(): AsyncGenerator<ArchiveEntry> {
    yield* entriesOf({ one: 'good' });
    throw new MemoryError('dependency_unavailable', 'The store is away.');
  }
  await expect(whole(writeTar(failing()))).rejects.toThrow('The store is away.');
  const lies = { name: 'short', bytes: 10, body: pieces(Buffer.from('five5')) };
  await expect(
    whole(
      writeTar(
        (async function* () {
          yield lies;
        })(),
      ),
    ),
  ).rejects.toThrow();
});

const unprocessable = expect.objectContaining({ code: 'unprocessable' });

test.each([
  ['a text', async () => Buffer.from('Not a tar at all, but long enough to be one. '.repeat(30))],
  ['one that is cut in a file', async () => (await whole(writeTar(entriesOf(files)))).subarray(0, 3000)],
  ['one that is cut before its end', async () => (await whole(writeTar(entriesOf(files)))).subarray(0, -1024)],
  ['nothing', async () => new Uint8Array()],
  ['one with a changed header', async () => changed(await whole(writeTar(entriesOf(files))), 3)],
  ['one with more behind its end', async () => Buffer.concat([await packed('file'), Buffer.from('more'.repeat(128))])],
  ['a link', () => packed('symlink')],
  ['a folder', () => packed('directory')],
  ['attributes beyond any measure', () => bomb()],
  ['a size beyond any number', () => endless()],
])('%s is refused', async (_what, make) => {
  await expect(read(await make())).rejects.toEqual(unprocessable);
});

test('an error of the source is its own, not the archive’s', async () => {
  const archive = await whole(writeTar(entriesOf(files)));
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield archive.subarray(0, 2000);
    throw new MemoryError('dependency_unavailable', 'The store is away.');
  }
  const reading = async () => {
    for await (const { body } of readTar(broken())) await whole(body);
  };
  await expect(reading()).rejects.toThrow('The store is away.');
});

const packed = (type: 'file' | 'symlink' | 'directory') =>
  packTar([{ header: { name: 'x', size: 0, type, ...(type === 'symlink' ? { linkname: '/etc/passwd' } : {}) } }]);

function changed(archive: Buffer, at: number): Buffer {
  const copy = Buffer.from(archive);
  copy[at] = (copy[at] ?? 0) + 1;
  return copy;
}

/** A header of extended attributes that announces 16 GB of them. */
const bomb = async () => withHeader(await packed('file'), 'x', Buffer.from('77777777777\0'));
/** A file of more bytes than can be counted. */
const endless = async () => withHeader(await packed('file'), '0', Buffer.alloc(12, 0xff));

/** With another type and size in the archive's first header. */
function withHeader(archive: Uint8Array, type: string, size: Buffer): Buffer {
  const copy = Buffer.from(archive);
  copy.write(type, 156, 'latin1');
  size.copy(copy, 124);
  copy.fill(' ', 148, 156);
  const sum = copy.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return copy;
}

test('whoever reads a file while the next one is asked for gets both', async () => {
  const archive = await whole(writeTar(entriesOf(files)));
  const bodies: Promise<Buffer>[] = [];
  for await (const { body } of readTar(pieces(archive))) bodies.push(whole(body));
  expect((await Promise.all(bodies)).map(String)).toEqual(Object.values(files));
});

test('pieces without a byte are left out', async () => {
  async function* body() {
    yield new Uint8Array();
    yield Buffer.from('text');
    yield new Uint8Array();
  }
  async function* entry(): AsyncGenerator<ArchiveEntry> {
    yield { name: 'a', bytes: 4, body: body() };
  }
  expect(await read(await whole(writeTar(entry())))).toEqual({ a: 'text' });
});
