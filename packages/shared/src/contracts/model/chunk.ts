import { z } from 'zod';
import { Span } from './ids.ts';

/** A piece of a document's text that is embedded and found as one. `text` equals `documentText.slice(span)`. */
export const Chunk = z.object({
  /** 32 hexadecimal digits, deterministic in tenant, document, version and index. */
  chunkId: z.string(),
  index: z.int().min(0),
  text: z.string(),
  page: z.int().optional(),
  headings: z.array(z.string()),
  span: Span,
  /** The blank text between the chunk before and this one; absent where there is none, or too much to join them by. */
  before: z.string().optional(),
  /** Tokens of `text` in the embedding model's own count, without special tokens. */
  tokens: z.int(),
  /** What is embedded: title, headings and text. */
  embedText: z.string(),
  /** sha256 of model and `embedText`, hexadecimal: equal hashes have equal vectors. */
  contentHash: z.string(),
});
export type Chunk = z.infer<typeof Chunk>;

/** The chunks of a version: the first artifact of stage `embed`. */
export const ChunkSet = z.object({
  schemaVersion: z.literal(1),
  title: z.string(),
  model: z.string(),
  dimension: z.int().min(1),
  chunks: z.array(Chunk),
});
export type ChunkSet = z.infer<typeof ChunkSet>;
