import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, type FileHandle, open, rename, rm, stat, statfs, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { BlobStore } from '@semantic-memory/shared/ports/blob-store';
import { hashedStream } from '../blobs/hashed-stream.ts';
import { takeUpTo } from '../blobs/take-up-to.ts';
import { blobPath, prefixPath, temporaryFolder } from './blob-path.ts';
import { createDirectories } from './directories.ts';
import { fileFailure, isAbsent } from './file-errors.ts';
import { createNaming } from './naming.ts';
import { prepareFolders } from './prepare-folders.ts';
import { readRange, readWholeFile, smallBytes, writeSmallFile } from './small-file.ts';
import { keysBelow } from './walk.ts';

/**
 * Blobs as files below a folder. A blob is written beside, synced, and only then gets its name (rename, or link where
 * nothing may be there yet): it is there whole or not at all, whenever the process or the machine dies. Several
 * processes may use one folder.
 */
export function createFilesystemBlobStore(directory: string): BlobStore {
  const root = resolve(directory);
  const temporary = join(root, temporaryFolder);
  const directories = createDirectories(root);
  let prepared: Promise<void> | undefined;

  /** Once; a failure is not remembered, since the disk may come back. */
  function prepare(): Promise<void> {
    prepared ??= prepareFolders(root, temporary).catch((error) => {
      prepared = undefined;
      throw error;
    });
    return prepared;
  }

  const temporaryPath = () => join(temporary, randomUUID());

  /** Runs `write` on a new temporary file, syncs it, and hands it to `name`; the file is gone afterwards either way. */
  async function written<Result>(
    write: (handle: FileHandle) => Promise<void>,
    name: (path: string) => Promise<Result>,
  ): Promise<Result> {
    await prepare().catch(rethrow);
    const path = temporaryPath();
    const handle = await open(path, 'wx', 0o600).catch(rethrow);
    let named = false;
    try {
      try {
        await write(handle);
        // A new file's size and blocks are flushed by fdatasync; its times need not be.
        await handle.datasync().catch(rethrow);
      } finally {
        await handle.close().catch(rethrow);
      }
      const result = await name(path).catch(rethrow);
      named = result !== false;
      return result;
    } finally {
      if (!named) await rm(path, { force: true }).catch(rethrow);
    }
  }

  /** As `written`, for bytes that are all there. */
  async function writtenWhole<Result>(bytes: Uint8Array, name: (path: string) => Promise<Result>): Promise<Result> {
    if (bytes.byteLength > smallBytes) return written((handle) => writeAll(handle, bytes), name);
    await prepare().catch(rethrow);
    const path = temporaryPath();
    let named = false;
    try {
      await writeSmallFile(path, bytes);
      const result = await name(path);
      named = result !== false;
      return result;
    } catch (error) {
      return rethrow(error);
    } finally {
      if (!named) await rm(path, { force: true }).catch(rethrow);
    }
  }

  const { moveTo, moveIfAbsent, linkTo, nameSoon } = createNaming(directories, temporaryPath);

  return {
    async put(key, bytes) {
      const path = blobPath(root, key);
      await writtenWhole(bytes, moveTo(path));
    },

    async putIfAbsent(key, bytes) {
      const path = blobPath(root, key);
      return writtenWhole(bytes, moveIfAbsent(path));
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
        if (head.isAll) await writtenWhole(head.bytes, nameIt(path));
        else {
          await written(async (handle) => {
            await writeAll(handle, head.bytes);
            for await (const part of parts) await writeAll(handle, part);
          }, nameIt(path));
        }
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
      const gone = temporaryPath();
      try {
        await rename(folder, gone);
      } catch (error) {
        if (isAbsent(error)) return 0;
        throw fileFailure(error);
      }
      directories.forget(folder);
      try {
        // The parent may be taken away as well by now: then whoever did that syncs.
        await directories.sync(dirname(folder)).catch(absentOr);
        let removed = 0;
        for await (const _ of keysBelow(gone, '')) removed += 1;
        await rm(gone, { recursive: true, force: true });
        return removed;
      } catch (error) {
        throw fileFailure(error);
      }
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
        const { bavail } = await statfs(root);
        if (bavail === 0) throw new MemoryError('dependency_unavailable', 'The blob store is full.');
      } catch (error) {
        if (isAbsent(error)) {
          throw new MemoryError('dependency_unavailable', 'The folder of the blob store is gone.', { cause: error });
        }
        throw fileFailure(error);
      }
    },
  };
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
