import { createWriteStream } from 'node:fs';

/** One thing that the run did or saw. `document` names the slot that it is about. */
export type HistoryEvent = { readonly type: string; readonly document?: string } & Readonly<Record<string, unknown>>;

export interface History {
  write(event: HistoryEvent): void;
  /** What was written about a document, oldest first. */
  about(document: string): readonly string[];
  close(): Promise<void>;
}

/** Lines kept in memory for each document: enough to explain a violation without the file. */
const keptPerDocument = 60;

/** The run as JSON lines: `t` is milliseconds since the start. */
export function createHistory(path: string, startedAt: number): History {
  const file = createWriteStream(path);
  const byDocument = new Map<string, string[]>();
  return {
    write(event) {
      const line = JSON.stringify({ t: Date.now() - startedAt, ...event });
      file.write(`${line}\n`);
      if (event.document === undefined) return;
      const lines = byDocument.get(event.document) ?? [];
      lines.push(line);
      if (lines.length > keptPerDocument) lines.splice(1, 1);
      byDocument.set(event.document, lines);
    },
    about: (document) => byDocument.get(document) ?? [],
    close: () => new Promise((resolve) => file.end(resolve)),
  };
}
