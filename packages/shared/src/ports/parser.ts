import type { Extraction } from '../contracts/model/extraction.ts';

export interface ParseInput {
  /** Documents of two tenants never meet in one process; where many wait, the tenants take turns. */
  readonly tenant: string;
  /** A file that holds the original's bytes. */
  readonly path: string;
  /** What the sender said it is: a hint for text formats, which bytes cannot tell apart. */
  readonly declaredMediaType?: string | undefined;
  readonly filename?: string | undefined;
  readonly limits: ParseLimits;
  /** Ends the waiting for a free process; once the parser has begun it means nothing. */
  readonly waiting?: AbortSignal | undefined;
}

export interface ParseLimits {
  readonly maxBytes: number;
  readonly maxPages: number;
  readonly maxInflatedBytes: number;
  readonly maxImagePixels: number;
}

/**
 * Turns original bytes into Markdown text by page. Runs isolated: whatever the bytes do, the caller lives on.
 * Errors are MemoryErrors with a document code: `unsupported_type`, `empty_document`, `encrypted_document`,
 * `corrupt_document`, `too_many_pages`, `limits_exceeded` (deadline, memory), `poison_document`.
 */
export interface Parser {
  parse(input: ParseInput, signal: AbortSignal): Promise<Extraction>;
  close(): Promise<void>;
}
