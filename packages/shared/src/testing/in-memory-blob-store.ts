import { createHash, randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryError } from '../contracts/errors.ts';
import { assertBlobKey, assertBlobPrefix } from '../ports/blob-key.ts';
import type { BlobStore } from '../ports/blob-store.ts';

export interface InMemoryBlobStore extends BlobStore {
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** Keys and removed prefixes of which a killed process has left something. */
  readonly remains: Set<string>;
  /** While true every call throws `dependency_unavailable`. */
  unavailable: boolean;
}

export function createInMemoryBlobStore(): InMemoryBlobStore {
  const blobs = new Map<string, Uint8Array>();
  const assertAvailable = () => {
    if (store.unavailable) throw new MemoryError('dependency_unavailable', 'The blob store does not answer.');
  };
  const store: InMemoryBlobStore = {
    blobs,
    remains: new Set(),
    unavailable: false,
    async put(key, bytes) {
      assertAvailable();
      assertBlobKey(key);
      blobs.set(key, Uint8Array.from(bytes));
    },
    async putAll(all) {
      for (const { key, bytes } of all) await store.put(key, bytes);
    },
    async putIfAbsent(key, bytes) {
      assertAvailable();
      assertBlobKey(key);
      if (blobs.has(key)) return false;
      blobs.set(key, Uint8Array.from(bytes));
      return true;
    },
    async copy(from, to) {
      assertAvailable();
      const bytes = blobs.get(from);
      if (!bytes) throw new MemoryError('not_found', 'The content is not in the blob store.');
      blobs.set(to, bytes);
    },
    async move(from, to) {
      await store.copy(from, to);
      blobs.delete(from);
    },
    async putStream(key, stream, { maxBytes }) {
      assertAvailable();
      assertBlobKey(key);
      const parts: Uint8Array[] = [];
      let bytes = 0;
      for await (const part of stream) {
        bytes += part.byteLength;
        if (bytes > maxBytes) {
          throw new MemoryError('request_too_large', `The content is larger than ${maxBytes} bytes.`, {
            details: { maxBytes },
          });
        }
        parts.push(Uint8Array.from(part));
      }
      assertAvailable();
      const all = Uint8Array.from(Buffer.concat(parts));
      blobs.set(key, all);
      return { bytes, sha256: createHash('sha256').update(all).digest('hex') };
    },
    async get(key) {
      assertAvailable();
      assertBlobKey(key);
      const bytes = blobs.get(key);
      return bytes && Uint8Array.from(bytes);
    },
    async getRange(key, start, end) {
      return (await store.get(key))?.slice(start, end);
    },
    async getStream(key) {
      const bytes = await store.get(key);
      return bytes && { stream: once(bytes), bytes: bytes.byteLength };
    },
    async has(key) {
      assertAvailable();
      assertBlobKey(key);
      return blobs.has(key);
    },
    async *list(prefix) {
      assertAvailable();
      assertBlobPrefix(prefix);
      for (const key of [...blobs.keys()]) if (key.startsWith(prefix)) yield key;
    },
    async remove(key) {
      assertAvailable();
      assertBlobKey(key);
      blobs.delete(key);
    },
    async removePrefix(prefix) {
      assertAvailable();
      assertBlobPrefix(prefix);
      if (prefix === '') throw new MemoryError('internal', 'The whole blob store is never removed.');
      const keys = [...blobs.keys()].filter((key) => key.startsWith(prefix));
      for (const key of keys) blobs.delete(key);
      return keys.length;
    },
    async removeRemains(prefix, isGone) {
      assertAvailable();
      assertBlobPrefix(prefix);
      for (const key of store.remains) if (key.startsWith(prefix) && isGone(key)) store.remains.delete(key);
    },
    async localFile(key) {
      const bytes = await store.get(key);
      if (!bytes) throw new MemoryError('not_found', 'The content is not in the blob store.');
      const path = join(tmpdir(), `semantic-memory-blob-${randomUUID()}`);
      await writeFile(path, bytes);
      return { path, dispose: () => rm(path, { force: true }) };
    },
    async check() {
      assertAvailable();
    },
  };
  return store;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
