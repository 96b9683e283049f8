import type { IngestFields, NamedFile } from './inputs.ts';
import { randomKey } from './random-key.ts';

/**
 * The body of a form (RFC 7578) with its media type. Fields first: a server that reads it as a stream knows them when the
 * file begins. Not `FormData`: where a file in it cannot be read, Node's fetch never ends, and the process does.
 */
export function fileForm(files: readonly NamedFile[], fields: IngestFields): Blob {
  const boundary = `semantic-memory-${randomKey()}`;
  const pieces: (string | Blob)[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    pieces.push(`--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`);
  }
  for (const { blob, filename } of files) {
    const disposition = `content-disposition: form-data; name="file"; filename="${escapeName(filename)}"`;
    const type = `content-type: ${blob.type || 'application/octet-stream'}`;
    pieces.push(`--${boundary}\r\n${disposition}\r\n${type}\r\n\r\n`, blob, '\r\n');
  }
  return new Blob([...pieces, `--${boundary}--\r\n`], { type: `multipart/form-data; boundary=${boundary}` });
}

/** https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data */
const escapeName = (name: string) => name.replace(/["\r\n]/g, encodeURIComponent);

/** One megabit a second: how slow a line may be before an upload is given up. */
const slowestBytesPerMs = 125;

/** The longest that it may take to send the files, in milliseconds. */
export function uploadMs(files: readonly NamedFile[]): number {
  return Math.ceil(files.reduce((bytes, { blob }) => bytes + blob.size, 0) / slowestBytesPerMs);
}
