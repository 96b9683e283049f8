import { openAsBlob } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { basename } from 'node:path';
import { ApiError } from './api-error.ts';
import type { NamedFile } from './inputs.ts';

/**
 * A file on disk that is read while it is sent. For Node only, hence apart from the client.
 *
 * @throws ApiError (`unreadable_file`) where it is not there or may not be read.
 */
export async function openFile(path: string, type = ''): Promise<NamedFile> {
  try {
    await access(path, constants.R_OK);
    return { blob: await openAsBlob(path, { type }), filename: basename(path) };
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code;
    throw new ApiError({ status: 0, code: 'unreadable_file', message: `${path} cannot be read: ${reason}.`, cause });
  }
}
