import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { finished } from 'node:stream/promises';

export interface Journal {
  write(event: string, facts: object): void;
  close(): Promise<void>;
}

/** A file of JSON lines, one an event, each with its time. It is made with the folders above it. */
export async function openJournal(path: string): Promise<Journal> {
  await mkdir(dirname(path), { recursive: true });
  const stream = createWriteStream(path, { flags: 'a' });
  return {
    write: (event, facts) => stream.write(`${JSON.stringify({ at: new Date().toISOString(), event, ...facts })}\n`),
    close: () => finished(stream.end()),
  };
}
