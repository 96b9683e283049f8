import type { OcrPage } from '../contracts/model/extraction.ts';

export interface OcrInput {
  /** A file that holds the original's bytes: a PDF or an image. */
  readonly path: string;
  readonly mediaType: string;
  /** Which pages to read, from 1. */
  readonly pages: readonly number[];
  readonly limits: { readonly maxImagePixels: number; readonly pageMs: number };
}

/** Renders pages and reads them. Yields each page as it is done; a page that cannot be read carries `failure`. */
export interface OcrEngine {
  read(input: OcrInput, signal: AbortSignal): AsyncIterable<OcrPage>;
  close(): Promise<void>;
}
