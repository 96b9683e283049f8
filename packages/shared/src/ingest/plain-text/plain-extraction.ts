import { MemoryError } from '../../contracts/errors.ts';
import type { Extraction } from '../../contracts/model/extraction.ts';
import { normaliseText } from './normalise-text.ts';

/** The extraction of a document without pages. @throws MemoryError `empty_document` where there is nothing to read. */
export function plainExtraction(mediaType: string, raw: string, title?: string): Extraction {
  const text = normaliseText(raw);
  if (text.trim() === '') {
    throw new MemoryError('empty_document', 'The document holds no text, only white space.', {
      hint: 'Send a document that has content.',
    });
  }
  const trimmedTitle = title && normaliseText(title).replace(/\s+/g, ' ').trim();
  return {
    schemaVersion: 1,
    mediaType,
    ...(trimmedTitle ? { title: trimmedTitle.slice(0, 500) } : {}),
    paged: false,
    pages: [{ number: 1, text, needsOcr: false }],
    warnings: [],
  };
}
