import { z } from 'zod';
import type { Span } from './ids.ts';
import { JobWarning } from './job.ts';

/** One page as a parser gave it. A document without pages is one page with `paged: false` on the extraction. */
export const ExtractedPage = z.object({
  /** From 1. */
  number: z.int().min(1),
  /** Markdown. Empty where the page has no text of its own. */
  text: z.string(),
  /** The page carries a picture of text, or no text at all: render it and read it. */
  needsOcr: z.boolean(),
});
export type ExtractedPage = z.infer<typeof ExtractedPage>;

/** What a parser found in the original: the artifact of stage `parse`. */
export const Extraction = z.object({
  schemaVersion: z.literal(1),
  mediaType: z.string(),
  title: z.string().optional(),
  paged: z.boolean(),
  pages: z.array(ExtractedPage),
  warnings: z.array(JobWarning),
});
export type Extraction = z.infer<typeof Extraction>;

/** One page as OCR read it: the artifact of stage `ocr`, one per page, so that a crash repeats at most one. */
export const OcrPage = z.object({
  schemaVersion: z.literal(1),
  number: z.int().min(1),
  text: z.string(),
  /** Mean word confidence, 0 to 100; 0 where nothing was read. */
  confidence: z.number(),
  /** Set where the page could not be read; the job then ends `partial`. */
  failure: z.string().optional(),
});
export type OcrPage = z.infer<typeof OcrPage>;

/** The whole text of a version: what every span points into. */
export interface DocumentText {
  readonly text: string;
  /** Empty for documents without pages. */
  readonly pages: readonly { readonly number: number; readonly span: Span }[];
}
