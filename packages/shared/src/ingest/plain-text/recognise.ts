import { isUtf8 } from 'node:buffer';

/** Bytes of a text that is read where it is embedded. Whatever is in them, that takes at most some 20 ms (measured). */
export const maxPlainTextBytes = 16 * 1024;

/** Within so many bytes a PDF says that it is one. */
const pdfMarkWithin = 1024;
/** Formats that are written in characters, by how they begin. */
const marks = ['{\\rtf', '%!'];
/** NUL and its like: text has none but white space. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\u0000-\u0008\u000b\u000e-\u001f]/;

/**
 * Whether bytes are plain text beyond doubt: short, valid UTF-8, without control characters, and like no markup or
 * other format. Every file of which this is true is `text/plain` to the parsers too, where its name does not say
 * otherwise; of many plain texts it is not true, and they go to the parsers. Reads nothing but bytes: it may run on
 * what anybody sends.
 */
export function isPlainText(bytes: Uint8Array): boolean {
  if (bytes.byteLength === 0 || bytes.byteLength > maxPlainTextBytes || !isUtf8(bytes)) return false;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  if (controls.test(text) || text.slice(0, pdfMarkWithin).includes('%PDF-')) return false;
  // Markup begins with `<` behind white space and the like at most; text begins with a word.
  const beforeWords = text.slice(0, Math.max(0, text.search(/\w/)));
  if (beforeWords.includes('<')) return false;
  const unmarked = text.startsWith('\u00ef\u00bb\u00bf') ? text.slice(3) : text;
  return /\w/.test(text) && !marks.some((mark) => unmarked.startsWith(mark));
}

/** Whether what the sender says of a file leaves it plain text. Of anything else the parsers decide what to make of it. */
export function isCalledPlainText(declaredMediaType: string | undefined, filename: string | undefined): boolean {
  const declared = declaredMediaType?.split(';')[0]?.trim().toLowerCase() ?? '';
  const ending = /\.([^.]*)$/.exec(filename ?? '')?.[1]?.toLowerCase() ?? '';
  return ['', 'text/plain'].includes(declared) && ['', 'txt', 'text', 'log'].includes(ending);
}
