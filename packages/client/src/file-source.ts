import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import type { NamedFile } from './inputs.ts';

/** A file on disk that is read while it is sent. For Node only, hence apart from the client. */
export async function openFile(path: string, type = ''): Promise<NamedFile> {
  return { blob: await openAsBlob(path, { type }), filename: basename(path) };
}
