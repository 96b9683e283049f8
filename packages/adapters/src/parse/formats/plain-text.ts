import { readFile } from 'node:fs/promises';
import type { FormatParser } from '../format-parser.ts';
import { charsetOf, decodeText } from '../text/charset.ts';
import { plainExtraction } from '../text/plain-extraction.ts';

/** Plain text: decoded and normalised, otherwise as it stands. */
export const parsePlainText: FormatParser = async (path, { mediaType, declaredMediaType }) => {
  return plainExtraction(mediaType, decodeText(await readFile(path), charsetOf(declaredMediaType)));
};
