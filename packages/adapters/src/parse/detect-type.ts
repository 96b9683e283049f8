import { open } from 'node:fs/promises';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { fileTypeFromFile } from 'file-type';
import { encodingOfNuls } from './text/charset.ts';

const sniffBytes = 64 * 1024;
const pdfMarkWithin = 1024;
const octets = 'application/octet-stream';

/** Text kinds by the name's ending; bytes cannot tell them apart. */
const textKinds: Readonly<Record<string, string>> = {
  md: 'text/markdown',
  markdown: 'text/markdown',
  mdx: 'text/markdown',
  html: 'text/html',
  htm: 'text/html',
  xhtml: 'text/html',
  eml: 'message/rfc822',
};
/** Formats with a mark that are text all the same. XML is not among them: what it holds is told by its elements. */
const writtenAsText = new Set(['application/pdf', 'application/rtf', 'text/rtf', 'application/postscript']);
const binaryEndings = new Set([
  'pdf',
  'docx',
  'doc',
  'xlsx',
  'pptx',
  'png',
  'jpg',
  'jpeg',
  'tif',
  'tiff',
  'webp',
  'gif',
  'bmp',
  'epub',
  'odt',
]);
const declaredBinary = /^(application\/(pdf|msword|vnd\.openxmlformats|vnd\.oasis|epub)|image\/(?!svg))/;

/**
 * The media type of a file by what is in it; name and declaration only choose among kinds of text.
 * @param identify what knows the marks of formats
 * @throws MemoryError `corrupt_document` where text claims to be something else; `unsupported_type` never: an unknown
 * binary is `application/octet-stream`.
 */
export async function detectType(
  path: string,
  hints: { declaredMediaType?: string | undefined; filename?: string | undefined },
  identify: (path: string) => Promise<{ readonly mime: string } | undefined> = fileTypeFromFile,
): Promise<string> {
  const head = await readHead(path);
  // Where it stumbles over what somebody made up, the bytes still tell text from other things.
  const known = await identify(path).catch(() => undefined);
  // Marks of four letters are words too: a text that begins "The free" would be a film. No binary format gets by
  // without a single control character.
  const isMark = known && (hasControls(head) || writtenAsText.has(known.mime));
  if (isMark) return known.mime === 'application/rtf' ? 'text/rtf' : known.mime;
  if (Buffer.from(head.subarray(0, pdfMarkWithin)).includes('%PDF-')) return 'application/pdf';
  if (!looksLikeText(head)) return octets;
  return textKind(head, hints);
}

async function readHead(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(sniffBytes), 0, sniffBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function hasControls(head: Uint8Array): boolean {
  return head.some((byte) => byte < 9 || byte === 11 || (byte > 13 && byte < 32));
}

/** Random bytes hold a tenth of control characters, text none but white space, NUL by accident, and escapes. */
function looksLikeText(head: Uint8Array): boolean {
  if (encodingOfNuls(head) || hasWideMark(head)) return true;
  let controls = 0;
  for (const byte of head) {
    if ((byte > 0 && byte < 9) || byte === 11 || (byte > 13 && byte < 27) || (byte > 27 && byte < 32)) controls += 1;
  }
  return controls <= head.length * 0.01;
}

function hasWideMark([a, b]: Uint8Array): boolean {
  return (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff);
}

function textKind(
  head: Uint8Array,
  { declaredMediaType, filename }: { declaredMediaType?: string | undefined; filename?: string | undefined },
): string {
  const ending = /\.([a-z0-9]{1,8})$/i.exec(filename ?? '')?.[1]?.toLowerCase() ?? '';
  const declared = declaredMediaType?.split(';')[0]?.trim().toLowerCase() ?? '';
  // Without NULs, so that UTF-16 markup reads as markup.
  const start = Buffer.from(head.subarray(0, 4096)).toString('latin1').replaceAll('\0', '');
  if (/^\W{0,3}\s*</.test(start) && /<svg[\s>]/i.test(start) && !/<html[\s>]/i.test(start)) return 'image/svg+xml';
  if (declared === 'text/markdown' || textKinds[ending] === 'text/markdown') return 'text/markdown';
  if (declared === 'text/html' || declared === 'application/xhtml+xml') return 'text/html';
  if (/^\W{0,3}\s*(?:<\?xml[^>]*>|<!--[^>]*-->|\s)*<(?:!doctype html|html|head|body)[\s>]/i.test(start))
    return 'text/html';
  if (declared === 'message/rfc822') return declared;
  if (textKinds[ending]) return textKinds[ending];
  if (binaryEndings.has(ending) || declaredBinary.test(declared)) {
    throw new MemoryError(
      'corrupt_document',
      `The document is called ${binaryEndings.has(ending) ? `.${ending}` : declared}, but holds plain text.`,
      {
        hint: 'Send the original file, or give it the name of a text file if text is what it is.',
      },
    );
  }
  return 'text/plain';
}
