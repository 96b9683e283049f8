import type { ArchivedDocument } from '../../contracts/model/archive.ts';
import type { ChunkSet } from '../../contracts/model/chunk.ts';
import type { Extraction, OcrPage } from '../../contracts/model/extraction.ts';
import { assembleText } from '../chunk/assemble-text.ts';
import { contentHashOf } from '../chunk/content-hash.ts';
import { badArchive } from './archive-layout.ts';

/**
 * Whether the chunks are those of the text that came with them: every quote of a search is vouched for by this. Their ids
 * are not looked at, for they are made anew.
 * @throws MemoryError `unprocessable`
 */
export function checkChunks(
  parts: {
    readonly document: ArchivedDocument;
    readonly extraction: Extraction;
    readonly pages: readonly OcrPage[];
    readonly set: ChunkSet;
  },
  model: string,
  where: string,
): void {
  const { document, extraction, pages, set } = parts;
  if (set.model !== model) throw badArchive(where, `is of the model ${set.model} and not of ${model}`);
  if (set.chunks.length !== document.chunks || set.dimension !== document.dimension)
    throw badArchive(where, 'is not what the document says it has');
  const { text } = assembleText(extraction, new Map(pages.map((page) => [page.number, page])));
  set.chunks.forEach((chunk, position) => {
    const { start, end } = chunk.span;
    if (chunk.index !== position || chunk.text === '' || text.slice(start, end) !== chunk.text)
      throw badArchive(where, `has a chunk ${position} that is not what the text has there`);
    if (chunk.contentHash !== contentHashOf(model, chunk.embedText))
      throw badArchive(where, `has a chunk ${position} whose hash is another text's`);
  });
}

/** Little-endian 32-bit floats, as they are stored. */
export const floatsOf = (bytes: Uint8Array): Float32Array =>
  new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
