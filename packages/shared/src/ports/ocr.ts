import type { OcrPage } from '../contracts/model/extraction.ts';

export interface OcrInput {
  /** A file that holds the original's bytes: a PDF or an image. */
  readonly path: string;
  readonly mediaType: string;
  /** Which pages to read, from 1. Asked one by one as places become free, so that who asks can end in mid-way. */
  readonly pages: Iterable<number>;
  readonly limits: { readonly maxImagePixels: number; readonly pageMs: number };
  /** Where many wait, the tenants take turns. */
  readonly tenant: string;
}

/** Renders pages and reads them. Yields each page as it is done; a page that cannot be read carries `failure`. */
export interface OcrEngine {
  read(input: OcrInput, signal: AbortSignal): AsyncIterable<OcrPage>;
  close(): Promise<void>;
}
