import type { JobWarning } from '@semantic-memory/shared/contracts/model/job';
import iconv from 'iconv-lite';
import { guessEncoding } from './guess-encoding.ts';
import { countUtf8 } from './nearly-utf8.ts';

const sniffBytes = 64 * 1024;

/** What a document's bytes say, and what of it the document's owner should know. */
export interface DecodedText {
  readonly text: string;
  readonly warnings: readonly JobWarning[];
}

/**
 * Decodes text of unknown encoding, in this order: byte order mark (UTF-32 before UTF-16, whose marks begin alike),
 * what the document or its sender declares, strict UTF-8, the pattern of NUL bytes, UTF-8 with a few broken bytes or a
 * guess by what the letters are like, windows-1252, which decodes anything.
 * @param declared An encoding's name as found in the document or its media type.
 */
export function decodeText(bytes: Uint8Array, declared?: string): DecodedText {
  const marked = encodingOfMark(bytes);
  if (marked) return decode(bytes, marked);
  const utf8 = decodeStrictUtf8(bytes);
  if (declared && iconv.encodingExists(declared)) {
    // A page that was saved again as UTF-8 keeps its old declaration: valid multi-byte UTF-8 is no accident.
    const isWide = /^utf-?(16|32)/i.test(declared);
    if (!isWide && utf8 === undefined) return decode(bytes, meantBy(declared));
    if (isWide && encodingOfNuls(bytes)) return decode(bytes, declared);
  }
  const wide = encodingOfNuls(bytes);
  if (wide) return decode(bytes, wide);
  if (utf8 !== undefined) {
    // ISO-2022-JP is plain ASCII with escapes. Node decodes it, iconv-lite does not.
    const isEscaped = utf8.includes('\u001b') && /^(?:cs)?iso-?2022-?jp/i.test(declared ?? '');
    return { text: isEscaped ? new TextDecoder('iso-2022-jp').decode(bytes) : utf8, warnings: [] };
  }
  return decode(bytes, guessEncoding(bytes));
}

/** What a name stands for on the web: who says iso-8859-1 writes windows-1252, with its quotation marks and €. */
function meantBy(declared: string): string {
  try {
    return new TextDecoder(declared).encoding;
  } catch {
    return declared;
  }
}

function decode(bytes: Uint8Array, encoding: string): DecodedText {
  if (!/^utf-?8$/i.test(encoding)) return { text: iconv.decode(bytes, encoding), warnings: [] };
  const { broken } = countUtf8(bytes);
  const places = broken === 1 ? 'At one place the text is' : `At ${broken} places the text is`;
  const message = `${places} no valid UTF-8; U+FFFD stands there.`;
  return {
    text: new TextDecoder().decode(bytes),
    warnings: broken > 0 ? [{ code: 'text_damaged', message }] : [],
  };
}

function encodingOfMark(bytes: Uint8Array): string | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0xff && b === 0xfe && c === 0 && d === 0) return 'utf-32le';
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return 'utf-32be';
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8';
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  return undefined;
}

function decodeStrictUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * UTF-16 or UTF-32 without a mark: characters up to U+00FF leave NULs at every second place, or at three of four.
 * NULs elsewhere are just NULs.
 */
export function encodingOfNuls(bytes: Uint8Array): string | undefined {
  const length = Math.min(bytes.length, sniffBytes) & ~3;
  if (length < 4) return undefined;
  const nuls = [0, 0, 0, 0];
  for (let at = 0; at < length; at++) if (bytes[at] === 0) nuls[at & 3]! += 1;
  const share = nuls.map((count) => count / (length / 4));
  const [a, b, c, d] = share as [number, number, number, number];
  if (a > 0.9 && b > 0.9 && c > 0.7 && d < 0.1) return 'utf-32be';
  if (d > 0.9 && c > 0.9 && b > 0.7 && a < 0.1) return 'utf-32le';
  if (a > 0.4 && c > 0.4 && b < 0.1 && d < 0.1) return 'utf-16be';
  if (b > 0.4 && d > 0.4 && a < 0.1 && c < 0.1) return 'utf-16le';
  return undefined;
}

/** The `charset` parameter of a media type. */
export function charsetOf(mediaType: string | undefined): string | undefined {
  return /;\s*charset\s*=\s*"?([\w.:+-]{1,40})/i.exec(mediaType ?? '')?.[1];
}
