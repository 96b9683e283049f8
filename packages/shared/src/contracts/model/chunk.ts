import { z } from 'zod';
import { Span } from './ids.ts';

export const Chunk = z
  .object({
    chunkId: z.string().describe('32 hexadecimal digits, deterministic in tenant, document, version and index.'),
    index: z.int().min(0),
    text: z.string(),
    page: z.int().optional(),
    headings: z.array(z.string()),
    span: Span,
    before: z
      .string()
      .optional()
      .describe(
        'The blank text between the chunk before and this one; absent where there is none, or too much to join them by.',
      ),
    tokens: z.int().describe("Tokens of `text` in the embedding model's own count, without special tokens."),
    embedText: z.string().describe('What is embedded: title, headings and text.'),
    contentHash: z.string().describe('sha256 of model and `embedText`, hexadecimal: equal hashes have equal vectors.'),
  })
  .describe(
    "A piece of a document's text that is embedded and found as one. `text` equals `documentText.slice(span)`.",
  );
export type Chunk = z.infer<typeof Chunk>;

export const ChunkSet = z
  .object({
    schemaVersion: z.literal(1),
    title: z.string(),
    model: z.string(),
    dimension: z.int().min(1),
    chunks: z.array(Chunk),
  })
  .describe('The chunks of a version: the first artifact of stage `embed`.');
export type ChunkSet = z.infer<typeof ChunkSet>;
