import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { watchBody } from './body-idle.ts';
import { type Fault, invalidRequest } from './errors.ts';

export interface UploadedFile {
  /** May be read once. Fails where the upload breaks off. */
  readonly stream: AsyncIterable<Uint8Array>;
  /** A label of the sender's, without folders. */
  readonly filename: string | undefined;
  readonly mediaType: string | undefined;
}

export interface MultipartOptions {
  /** The name of the parts that are files. */
  readonly fileField: string;
  readonly maxFiles: number;
  readonly maxFieldBytes: number;
  /** The most that one file may have. Whoever stores it counts; here it tells what cannot fit from its announced length. */
  readonly maxFileBytes: number;
  readonly idleMs: number;
}

const maxFields = 100;
/** What a body may hold beside its files, in bytes: two fields at their longest, the others, and their headers. */
const besideFilesBytes = 4 * 1024 * 1024;

/**
 * Reads a multipart body part by part; nothing of a file is held in memory. Fields may come before or after files.
 * Settles only after every `onFile` has: then nothing is being written any more.
 * @param onFile gets each file as it comes; the next part waits until its stream was read
 * @throws MemoryError `invalid_request` with all faults, `cancelled` where the caller went away, and what `onFile` throws
 */
export async function readMultipart<Stored>(
  request: IncomingMessage,
  options: MultipartOptions,
  onFile: (file: UploadedFile) => Promise<Stored>,
): Promise<{ fields: Record<string, string>; files: Stored[] }> {
  assertMayFit(request, options);
  const parser = createParser(request, options);
  const fields: Record<string, string> = {};
  const faults: Fault[] = [];
  const storing: Promise<Stored>[] = [];
  const open = new Set<Readable>();
  const { promise: read, resolve: finish, reject } = Promise.withResolvers<void>();
  let failed = false;
  const fail = (error: unknown) => {
    if (failed) return;
    failed = true;
    request.unpipe(parser);
    for (const stream of open) stream.destroy(error as Error);
    reject(error);
  };
  const brokenOff = () => new MemoryError('cancelled', 'The upload broke off before its end.');

  let fieldBytes = 0;
  parser.on('field', (name, value, _nameTruncated, truncated) => {
    fieldBytes += name.length + value.length;
    if (fieldBytes > besideFilesBytes) fail(tooLarge(`The fields have more than ${besideFilesBytes} characters.`));
    if (truncated) faults.push({ path: `fields.${name}`, message: `is longer than ${options.maxFieldBytes} bytes` });
    else if (Object.hasOwn(fields, name)) faults.push({ path: `fields.${name}`, message: 'is given twice' });
    else Object.defineProperty(fields, name, { value, enumerable: true, writable: true, configurable: true });
  });
  parser.on('file', (name, stream, filename, _encoding, mediaType) => {
    const file = stream as unknown as Readable;
    open.add(file);
    file.once('close', () => open.delete(file));
    file.on('error', () => fail(brokenOff()));
    if (name !== options.fileField) {
      fail(
        invalidRequest([
          { path: `files.${name}`, message: `is not known here; files are called ${options.fileField}` },
        ]),
      );
      return;
    }
    // The consumer's end must not destroy the part: the parser would wait for ever to get rid of the rest of it.
    const reading = onFile({ stream: file.iterator({ destroyOnReturn: false }), filename, mediaType }).finally(() =>
      file.resume(),
    );
    storing.push(reading);
    reading.catch(fail);
  });
  parser.on('filesLimit', () =>
    fail(
      invalidRequest([{ path: `files.${options.fileField}`, message: `is given more than ${options.maxFiles} times` }]),
    ),
  );
  parser.on('fieldsLimit', () => fail(invalidRequest([{ path: 'fields', message: `are more than ${maxFields}` }])));
  parser.on('error', (cause: unknown) =>
    fail(new MemoryError('invalid_request', 'The multipart body is malformed or ends too early.', { cause })),
  );
  parser.on('finish', finish);

  const onClose = () => {
    if (!request.complete) fail(brokenOff());
  };
  const onIdle = () => fail(new MemoryError('invalid_request', `Nothing came for ${options.idleMs} ms.`));
  request.on('close', onClose);
  request.on('error', onClose);
  const stopWatching = watchBody(request, options.idleMs, onIdle);
  request.pipe(parser);
  try {
    await read;
    const files = await Promise.all(storing);
    if (faults.length > 0) throw invalidRequest(faults);
    return { fields, files };
  } catch (error) {
    await Promise.allSettled(storing);
    throw error;
  } finally {
    request.off('close', onClose);
    stopWatching();
  }
}

/** Refuses before a byte is read what says itself that it is too large. */
function assertMayFit(request: IncomingMessage, { maxFiles, maxFileBytes }: MultipartOptions): void {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced <= maxFiles * maxFileBytes + besideFilesBytes) return;
  throw tooLarge(
    maxFiles === 1
      ? `The file is larger than ${maxFileBytes} bytes.`
      : `The body is larger than ${maxFiles} files of ${maxFileBytes} bytes.`,
  );
}

const tooLarge = (message: string) => new MemoryError('request_too_large', message);

function createParser(request: IncomingMessage, options: MultipartOptions) {
  try {
    return new Busboy({
      // What is read here has said that it is a form.
      headers: request.headers as BusboyHeaders,
      limits: {
        files: options.maxFiles,
        fields: maxFields,
        fieldSize: options.maxFieldBytes,
        parts: options.maxFiles + maxFields + 1,
        headerPairs: 100,
      },
    });
  } catch (cause) {
    throw new MemoryError('invalid_request', 'The multipart body names no boundary.', { cause });
  }
}
