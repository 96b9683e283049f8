/** All that a command touches besides the service: given by `main.ts`, captured by tests. */
export interface Io {
  /** Results. */
  out(text: string): void;
  /** Progress and complaints. */
  err(text: string): void;
  /** Whether somebody reads the results on a terminal: then bold type. */
  readonly terminal: boolean;
  /** Characters a line of the terminal takes. */
  readonly columns: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Where a progress bar is drawn; absent where nobody watches. */
  readonly progressStream?: NodeJS.WritableStream;
}

export function bold(io: Io, text: string): string {
  return io.terminal ? `\u001b[1m${text}\u001b[22m` : text;
}

export function dim(io: Io, text: string): string {
  return io.terminal ? `\u001b[2m${text}\u001b[22m` : text;
}

/**
 * Text of documents without control characters, and without those that turn the direction of what follows: what was
 * ingested must not steer the reader's terminal.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '');
}

/** A title or a name, which must not look like a line of its own. */
export function oneLine(text: string): string {
  return printable(text.replace(/\s+/g, ' ')).trim();
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
