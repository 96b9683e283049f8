import { readFile } from 'node:fs/promises';
import { plainExtraction } from '@semantic-memory/shared/ingest/plain-text/plain-extraction';
import type { FormatParser } from '../format-parser.ts';
import { charsetOf, decodeText } from '../text/charset.ts';

/** Plain text: decoded and normalised, otherwise as it stands. */
export const parsePlainText: FormatParser = async (path, { mediaType, declaredMediaType }) => {
  const { text, warnings } = decodeText(await readFile(path), charsetOf(declaredMediaType));
  return { ...plainExtraction(mediaType, text), warnings: [...warnings] };
};
