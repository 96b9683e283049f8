import type { Extraction } from '@semantic-memory/shared/contracts/model/extraction';
import type { ParseLimits } from '@semantic-memory/shared/ports/parser';

/** What a format parser is given besides the file. All of it is plain data or runs in the child. */
export interface ParseContext {
  /** What detection found. */
  readonly mediaType: string;
  /** What the sender said, with parameters such as `charset`. */
  readonly declaredMediaType: string | undefined;
  readonly limits: ParseLimits;
  /** To be called at least once a page: the child is killed when it is silent for too long. */
  readonly progress: () => void;
}

/**
 * Turns one format into text by page. Runs in a child process.
 * @param path A file with the bytes: not empty, not over `limits.maxBytes`.
 * @throws MemoryError with a document code; anything else counts as a fault of ours.
 */
export type FormatParser = (path: string, context: ParseContext) => Promise<Extraction>;

/** One format in the registry. Naming it loads nothing. */
export interface FormatEntry {
  readonly mediaTypes: readonly string[];
  /** In words, for the message that says what is supported. */
  readonly name: string;
  /** `pooled`: cheap, bounded code over text, in a child that serves many documents. `own`: a child per document. */
  readonly isolation: 'pooled' | 'own';
  readonly load: () => Promise<FormatParser>;
}
