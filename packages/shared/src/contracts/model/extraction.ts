import { z } from 'zod';
import type { Span } from './ids.ts';
import { JobWarning } from './job.ts';

export const ExtractedPage = z
  .object({
    number: z.int().min(1).describe('From 1.'),
    text: z.string().describe('Markdown. Empty where the page has no text of its own.'),
    needsOcr: z.boolean().describe('The page carries a picture of text, or no text at all: render it and read it.'),
  })
  .describe(
    'One page as a parser gave it. A document without pages is one page with `paged: false` on the extraction.',
  );
export type ExtractedPage = z.infer<typeof ExtractedPage>;

export const Extraction = z
  .object({
    schemaVersion: z.literal(1),
    mediaType: z.string(),
    title: z.string().optional(),
    paged: z.boolean(),
    pages: z.array(ExtractedPage),
    warnings: z.array(JobWarning),
  })
  .describe('What a parser found in the original: the artifact of stage `parse`.');
export type Extraction = z.infer<typeof Extraction>;

export const OcrPage = z
  .object({
    schemaVersion: z.literal(1),
    number: z.int().min(1),
    text: z.string(),
    confidence: z.number().describe('Mean word confidence, 0 to 100; 0 where nothing was read.'),
    failure: z.string().optional().describe('Set where the page could not be read; the job then ends `partial`.'),
  })
  .describe('One page as OCR read it: the artifact of stage `ocr`, one per page, so that a crash repeats at most one.');
export type OcrPage = z.infer<typeof OcrPage>;

/** The whole text of a version: what every span points into. */
export interface DocumentText {
  readonly text: string;
  /** Empty for documents without pages. */
  readonly pages: readonly { readonly number: number; readonly span: Span }[];
}
