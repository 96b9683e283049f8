import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, jest, test } from '@jest/globals';
import sharp from 'sharp';
import type { FormatEntry } from './format-parser.ts';
import { jobParser, type ParseReply } from './parse-job.ts';
import { formats } from './registry.ts';
import { generousLimits, withFile } from './testing/format-context.ts';
import { makePdf, pageOfLines } from './testing/make-pdf.ts';

// pdf.js takes its time on a busy machine.
jest.setTimeout(60_000);

/** What a child replies to a document, in its first job or, where a type is given, in its second. */
async function replyTo(
  content: string | Uint8Array,
  {
    filename,
    mediaType,
    entries = formats,
  }: { filename?: string; mediaType?: string; entries?: readonly FormatEntry[] } = {},
): Promise<ParseReply> {
  return withFile(content, async (path) => {
    const input = { tenant: 'test', path, filename, limits: generousLimits };
    return (await jobParser(entries)(mediaType ? { input, mediaType } : { input }, () => {})) as ParseReply;
  });
}

const harbour = () => readFile(fileURLToPath(new URL('../../testdata/parse/harbour.docx', import.meta.url)));
const png = () =>
  sharp({ create: { width: 40, height: 30, channels: 3, background: 'white' } })
    .png()
    .toBuffer();

test.each([
  ['text/plain', 'The tide.', undefined],
  ['text/markdown', '# The tide', 'a.md'],
  ['text/html', '<!doctype html><html><p>The tide.', undefined],
])('%s is parsed in the child that many share', async (mediaType, content, filename) => {
  expect(await replyTo(content, filename ? { filename } : {})).toMatchObject({
    extraction: { mediaType, pages: [{ text: expect.stringContaining('The tide') }] },
  });
});

test.each([
  ['application/pdf', async () => makePdf([pageOfLines(['A page that tells of the harbour.'])])],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', harbour],
  ['image/png', png],
])('%s needs a child of its own, which is told what it is', async (mediaType, content) => {
  const bytes = await content();
  expect(await replyTo(bytes)).toEqual({ needsOwnChild: mediaType });
  expect(await replyTo(bytes, { mediaType })).toMatchObject({ extraction: { mediaType, schemaVersion: 1 } });
});

/** The container of Office's old formats, with a stream of this name. */
function oldOffice(stream: string): Buffer {
  const bytes = Buffer.alloc(1024);
  Buffer.from('d0cf11e0a1b11ae1', 'hex').copy(bytes);
  bytes.write(stream, 512, 'utf16le');
  return bytes;
}

test('what cannot be read says what it is and what can be read instead', async () => {
  await expect(replyTo(Buffer.from('1f8b0800000000000003', 'hex'))).rejects.toMatchObject({
    code: 'unsupported_type',
    message: expect.stringContaining('application/gzip'),
    hint: expect.stringMatching(/PDF.*DOCX.*Markdown/),
    details: { detected: 'application/gzip' },
  });
  await expect(replyTo(oldOffice('WordDocument'))).rejects.toMatchObject({ code: 'unsupported_type' });
});

test('an Office document with a password is told from one of an old format', async () => {
  await expect(replyTo(oldOffice('EncryptedPackage'))).rejects.toMatchObject({ code: 'encrypted_document' });
});

test('a document that the engine gives up on is too complex, any other fault stays what it is', async () => {
  const failing = (error: unknown): FormatEntry => ({
    name: 'tide table',
    mediaTypes: ['text/plain'],
    isolation: 'pooled',
    load: async () => () => Promise.reject(error),
  });
  const endless = (): number => 1 + endless();
  const overflow = await Promise.resolve()
    .then(endless)
    .catch((error: unknown) => error);
  await expect(replyTo('x', { entries: [failing(overflow)] })).rejects.toMatchObject({
    code: 'limits_exceeded',
    message: expect.stringContaining('tide table'),
    cause: overflow,
  });
  for (const fault of [new TypeError('call stack'), new RangeError('no such month')]) {
    await expect(replyTo('x', { entries: [failing(fault)] })).rejects.toBe(fault);
  }
});
