import type { IngestFields, NamedFile } from './inputs.ts';

/** Fields first: a server that reads the body as a stream knows them when the file begins. */
export function fileForm(files: readonly NamedFile[], fields: IngestFields): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    form.append(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  for (const { blob, filename } of files) form.append('file', blob, filename);
  return form;
}

/** One megabit a second: how slow a line may be before an upload is given up. */
const slowestBytesPerMs = 125;

/** The longest that it may take to send the files, in milliseconds. */
export function uploadMs(files: readonly NamedFile[]): number {
  return Math.ceil(files.reduce((bytes, { blob }) => bytes + blob.size, 0) / slowestBytesPerMs);
}
