import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Client } from '@semantic-memory/client/client';
import { openFile } from '@semantic-memory/client/file-source';
import type { Io } from './io.ts';
import { runJobStatus } from './status-command.ts';

/** Writes a namespace to a file, which has its name only once it is whole. */
export async function runExport(
  client: Client,
  io: Io,
  { namespace, output, json }: { namespace?: string; output: string; json: boolean },
): Promise<void> {
  const part = `${output}.part`;
  let bytes = 0;
  async function* counted(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of archive) {
      bytes += piece.byteLength;
      yield piece;
    }
  }
  try {
    const archive = await client.admin.export({ namespace, signal: io.signal });
    await pipeline(counted(archive), createWriteStream(part), { signal: io.signal });
    await rename(part, output);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  io.out(json ? `${JSON.stringify({ file: output, bytes })}\n` : `${output}: ${bytes} bytes\n`);
}

/** Sends an exported namespace. False where it, or one of its documents, was not taken in. */
export async function runImport(
  client: Client,
  io: Io,
  path: string,
  { namespace, wait, json }: { namespace?: string; wait: boolean; json: boolean },
): Promise<boolean> {
  const file = await openFile(path);
  const { id } = await client.admin.import(file, { namespace, signal: io.signal });
  return runJobStatus(client, io, id, wait, json);
}
