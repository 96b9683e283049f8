import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { ArchiveEntry, ReadArchive } from '@semantic-memory/shared/ports/archive';
import { createTarDecoder } from 'modern-tar';

/**
 * Reads a tar of plain files, without compression. Strict: a header with a wrong checksum, a missing end or bytes after
 * it are errors. The library holds at most a megabyte, takes no more than 8 MB of attributes, and no size that cannot be
 * counted.
 */
export const readTar: ReadArchive = async function* (archive) {
  const decoder = createTarDecoder({ strict: true });
  let sourceFault: { readonly error: unknown } | undefined;
  const fault = (error: unknown): unknown => {
    if (sourceFault) return sourceFault.error;
    if (error instanceof MemoryError) return error;
    return notAnArchive((error as Error).message.replace(/\.$/, ''), error);
  };
  const source = ReadableStream.from(noting(archive, (error) => (sourceFault = { error })));
  // Its errors are met by whoever reads the entries.
  const feeding = source.pipeTo(decoder.writable).catch(() => {});
  const entries = decoder.readable.getReader();
  try {
    for (;;) {
      const { done, value } = await entries.read();
      if (done) return;
      const { name, size, type } = value.header;
      if (type !== 'file') throw notAnArchive(`${quoted(name)} is no plain file`);
      yield { name, bytes: size, body: told(value.body, fault) } satisfies ArchiveEntry;
      // What nobody wanted to read is passed over.
      if (!value.body.locked) await value.body.cancel();
    }
  } catch (error) {
    throw fault(error);
  } finally {
    await entries.cancel().catch(() => {});
    await feeding;
  }
};

/** Names come from strangers, and may be long or hold anything. */
const quoted = (name: string) => JSON.stringify(name.slice(0, 100));

const notAnArchive = (what: string, cause?: unknown) =>
  new MemoryError('unprocessable', `This is no archive that can be read: ${what}.`, {
    hint: 'Send a tar as /admin/export gave it, whole and not compressed.',
    cause,
  });

/** A body whose errors are told as those of the archive. */
async function* told(body: AsyncIterable<Uint8Array>, fault: (error: unknown) => unknown): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw fault(error);
  }
}

async function* noting<Item>(items: AsyncIterable<Item>, onError: (error: unknown) => void): AsyncGenerator<Item> {
  try {
    yield* items;
  } catch (error) {
    onError(error);
    throw error;
  }
}
