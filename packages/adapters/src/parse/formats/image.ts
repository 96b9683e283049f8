import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import sharp from 'sharp';
import type { FormatParser } from '../format-parser.ts';
import { corrupt } from '../library-error.ts';

/** Pictures: only the header is looked at. Every page is left to OCR. */
export const parseImage: FormatParser = async (path, { mediaType, limits }) => {
  // The limit is checked below, where the message can say what was found.
  const metadata = await sharp(path, { limitInputPixels: false })
    .metadata()
    .catch((error: unknown) => {
      throw corrupt('picture', error);
    });
  // The frames of an animation are not pages. Of a TIFF they are always counted.
  const pageCount = mediaType === 'image/tiff' ? metadata.pages! : 1;
  const pixels = metadata.width * metadata.height;
  if (pixels > limits.maxImagePixels) {
    throw new MemoryError(
      'limits_exceeded',
      `The picture has ${metadata.width} × ${metadata.height} pixels; at most ${limits.maxImagePixels} in all are allowed.`,
      { hint: 'Scale it down and send it again.' },
    );
  }
  if (pageCount > limits.maxPages) {
    throw new MemoryError(
      'too_many_pages',
      `The picture has ${pageCount} pages; at most ${limits.maxPages} are allowed.`,
      {
        hint: 'Split it into smaller documents.',
      },
    );
  }
  const pages = Array.from({ length: pageCount }, (_, index) => ({ number: index + 1, text: '', needsOcr: true }));
  return { schemaVersion: 1, mediaType, paged: true, pages, warnings: [] };
};
