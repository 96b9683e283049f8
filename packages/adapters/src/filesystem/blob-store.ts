import { constants } from 'node:fs';
import { access, type FileHandle, open, rename, rm, stat, statfs, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { BlobStore } from '@semantic-memory/shared/ports/blob-store';
import { hashedStream } from '../blobs/hashed-stream.ts';
import { takeUpTo } from '../blobs/take-up-to.ts';
import { blobPath, prefixPath } from './blob-path.ts';
import { createDirectories } from './directories.ts';
import { fileFailure, isAbsent } from './file-errors.ts';
import { createNaming, type Name } from './naming.ts';
import { prepareFolders } from './prepare-folders.ts';
import { assertRoom } from './room.ts';
import { readRange, readWholeFile, smallBytes, writeSmallFile } from './small-file.ts';
import { createTemporaryFiles } from './temporary-files.ts';
import { keysBelow } from './walk.ts';

/**
 * Blobs as files below a folder. A blob is written beside, synced, and only then gets its name (rename, or link where
 * nothing may be there yet): it is there whole or not at all, whenever the process or the machine dies. Several
 * processes may use one folder.
 */
export function createFilesystemBlobStore(directory: string): BlobStore {
  const root = resolve(directory);
  const temporary = createTemporaryFiles(root);
  const directories = createDirectories(root);
  let prepared: Promise<void> | undefined;

  /** Once; a failure is not remembered, since the disk may come back. */
  function prepare(): Promise<void> {
    prepared ??= prepareFolders(root, temporary.folder)
      .then(temporary.removeLeftovers)
      .catch((error) => {
        prepared = undefined;
        throw error;
      });
    return prepared;
  }

  /** Has `write` fill a new temporary file, and gives it its name. Returns what `name` does; nothing is left beside. */
  async function written(path: string, write: (from: string) => Promise<void>, name: Name): Promise<boolean> {
    await prepare().catch(rethrow);
    const begun = Date.now();
    const from = temporary.pathFor(path);
    let isNamed = false;
    try {
      await write(from);
      isNamed = await named(from, name, begun);
      return isNamed;
    } finally {
      if (!isNamed) await rm(from, { force: true }).catch(rethrow);
    }
  }

  async function named(from: string, name: Name, begun: number): Promise<boolean> {
    try {
      return await name(from);
    } catch (error) {
      // As if it had been written just before it was removed.
      if (isAbsent(error) && temporary.wasRemoved(from, begun)) return true;
      return rethrow(error);
    }
  }

  const writtenWhole = (path: string, bytes: Uint8Array, name: Name): Promise<boolean> =>
    written(
      path,
      (from) =>
        bytes.byteLength > smallBytes ? writeParts(from, [bytes]) : writeSmallFile(from, bytes).catch(rethrow),
      name,
    );

  const { moveTo, moveIfAbsent, linkTo, nameSoon, nameSoonIfAbsent, settle } = createNaming(
    directories,
    temporary.pathFor,
  );

  return {
    async put(key, bytes) {
      const path = blobPath(root, key);
      await writtenWhole(path, bytes, moveTo(path));
    },

    async putAll(blobs) {
      const files = blobs.map(({ key, bytes }) => ({ path: blobPath(root, key), bytes }));
      await Promise.all(files.map(({ path, bytes }) => writtenWhole(path, bytes, nameSoon(path))));
      // One sync a folder for all that was named in it.
      await Promise.all([...new Set(files.map(({ path }) => dirname(path)))].map(settle));
    },

    async putIfAbsent(key, bytes, { transient = false } = {}) {
      const path = blobPath(root, key);
      return writtenWhole(path, bytes, transient ? nameSoonIfAbsent(path) : moveIfAbsent(path));
    },

    async copy(from, to) {
      const source = blobPath(root, from);
      const path = blobPath(root, to);
      await prepare().catch(rethrow);
      try {
        await linkTo(path)(source);
      } catch (error) {
        if (isAbsent(error))
          throw new MemoryError('not_found', 'The content is not in the blob store.', { cause: error });
        throw fileFailure(error);
      }
    },

    async move(from, to) {
      const source = blobPath(root, from);
      const path = blobPath(root, to);
      await prepare().catch(rethrow);
      try {
        // One step for the file system; once the new name is durable, so is the end of the old one.
        await moveTo(path)(source);
      } catch (error) {
        if (isAbsent(error))
          throw new MemoryError('not_found', 'The content is not in the blob store.', { cause: error });
        throw fileFailure(error);
      }
    },

    async putStream(key, stream, { maxBytes, transient = false }) {
      const nameIt = transient ? nameSoon : moveTo;
      const path = blobPath(root, key);
      const { parts, facts } = hashedStream(stream, maxBytes);
      try {
        const head = await takeUpTo(parts, smallBytes);
        const all = async function* () {
          yield head.bytes;
          yield* parts;
        };
        if (head.isAll) await writtenWhole(path, head.bytes, nameIt(path));
        else await written(path, (from) => writeParts(from, all()), nameIt(path));
      } finally {
        // Where a write failed the rest of the stream is not wanted.
        await parts.return(undefined);
      }
      return facts();
    },

    async get(key) {
      return readWholeFile(blobPath(root, key)).catch(absentOr);
    },

    async getRange(key, start, end) {
      return readRange(blobPath(root, key), start, end).catch(absentOr);
    },

    async getStream(key) {
      const handle = await open(blobPath(root, key), 'r').catch(absentOr);
      if (!handle) return undefined;
      const facts = await handle.stat();
      if (facts.isFile()) return { stream: handle.createReadStream(), bytes: facts.size };
      await handle.close();
      return undefined;
    },

    async has(key) {
      const facts = await stat(blobPath(root, key)).catch(absentOr);
      return facts?.isFile() ?? false;
    },

    async *list(prefix) {
      const folder = prefixPath(root, prefix);
      try {
        for await (const key of keysBelow(folder, prefix)) yield key;
      } catch (error) {
        throw fileFailure(error);
      }
    },

    async remove(key) {
      const path = blobPath(root, key);
      try {
        await unlink(path);
        await directories.sync(dirname(path));
      } catch (error) {
        if (!isAbsent(error)) throw fileFailure(error);
      }
    },

    async removePrefix(prefix) {
      const folder = prefixPath(root, prefix);
      if (folder === root) throw new MemoryError('internal', 'The whole blob store is never removed.');
      await prepare().catch(rethrow);
      // Out of sight in one step: a reader sees all of it or nothing, and a crash leaves no half.
      const gone = temporary.pathFor(folder);
      let removed = 0;
      try {
        try {
          await rename(folder, gone);
          directories.forget(folder);
          // The parent may be taken away as well by now: then whoever did that syncs.
          await directories.sync(dirname(folder)).catch(absentOr);
          for await (const _ of keysBelow(gone, '')) removed += 1;
          await rm(gone, { recursive: true, force: true });
        } catch (error) {
          if (!isAbsent(error)) throw error;
        }
        await temporary.removeOf(folder);
        return removed;
      } catch (error) {
        throw fileFailure(error);
      }
    },

    async removeRemains(prefix, isGone) {
      const folder = prefixPath(root, prefix);
      await prepare().catch(rethrow);
      await temporary.removeBelow(folder, (rest) => isGone(`${prefix}${rest}`)).catch(rethrow);
    },

    async localFile(key) {
      const path = blobPath(root, key);
      const facts = await stat(path).catch(absentOr);
      if (!facts?.isFile()) throw new MemoryError('not_found', 'The content is not in the blob store.');
      return { path, dispose: async () => {} };
    },

    async check() {
      try {
        await prepare();
        await access(root, constants.R_OK | constants.W_OK | constants.X_OK);
        assertRoom(await statfs(root));
      } catch (error) {
        if (isAbsent(error)) {
          throw new MemoryError('dependency_unavailable', 'The folder of the blob store is gone.', { cause: error });
        }
        throw fileFailure(error);
      }
    },
  };
}

/** Writes a new file and syncs it. @throws what the file system reports, as `MemoryError`, and what `parts` throws */
async function writeParts(path: string, parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch(rethrow);
  try {
    for await (const part of parts) await writeAll(file, part);
    // A new file's size and blocks are flushed by fdatasync; its times need not be.
    await file.datasync().catch(rethrow);
  } finally {
    await file.close().catch(rethrow);
  }
}

/** A write may take less than it was given. */
async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) {
    written += (await handle.write(bytes, written).catch(rethrow)).bytesWritten;
  }
}

function rethrow(error: unknown): never {
  throw fileFailure(error);
}

function absentOr(error: unknown): undefined {
  if (isAbsent(error)) return undefined;
  throw fileFailure(error);
}
