import { z } from 'zod';
import { JobWarning } from './job.ts';

export const DryRun = z
  .object({
    mediaType: z.string().describe('By content.'),
    pages: z.int().describe('1 for a document without pages.'),
    ocrPages: z.int().describe('Pages that hold no text and would be read by OCR.'),
    chunks: z.int(),
    tokens: z.int().describe('That would be embedded, overlap and headings included.'),
    estimatedSeconds: z.number().describe('Of one worker a tier, from when it has its turn.'),
    estimatedCostUsd: z.number().describe('Of embedding; 0 with the local model.'),
    warnings: z.array(JobWarning),
  })
  .meta({ id: 'DryRun', description: 'What would happen to a document.' });
export type DryRun = z.infer<typeof DryRun>;
