/** A Mermaid diagram in a Markdown file. */
export interface Diagram {
  /** Path in the repository. */
  readonly file: string;
  /** Of its fence, from 1. */
  readonly line: number;
  readonly text: string;
}

/** The blocks of a Markdown text that are marked `mermaid`. */
export function diagramsOf(file: string, markdown: string): Diagram[] {
  return [...markdown.matchAll(/^( *)```mermaid\n(.*?)^\1```$/gms)].map((match) => ({
    file,
    line: markdown.slice(0, match.index).split('\n').length,
    text: match[2] ?? '',
  }));
}
