import { isMap, isScalar, isSeq, LineCounter, type Node, parse, parseDocument } from 'yaml';

/** A key of a values file without a comment of its own, by its path and its line (from 1). */
export interface BareKey {
  readonly path: string;
  readonly line: number;
}

/**
 * Every key, however deep, whose lines of comment right above do not begin with `# --`: helm-docs would say nothing of
 * it. Keys within flow style (`{ a: 1 }`) have no line of their own, and so no comment.
 */
export function keysWithoutComment(text: string): readonly BareKey[] {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  if (document.errors.length > 0) throw new Error(`The values cannot be read: ${document.errors[0]?.message}`);
  const lines = text.split('\n');
  const bare: BareKey[] = [];
  const walk = (node: Node | null, path: string): void => {
    if (isSeq(node)) for (const item of node.items) walk(item as Node | null, `${path}[]`);
    if (!isMap(node)) return;
    for (const { key, value } of node.items) {
      if (!isScalar(key) || !key.range) throw new Error(`A key of ${path} is no plain word.`);
      const here = path === '' ? String(key.value) : `${path}.${String(key.value)}`;
      const { line, col } = lineCounter.linePos(key.range[0]);
      // Within a list the keys are those of Kubernetes.
      if (!here.includes('[]') && !hasComment(lines, line, col)) bare.push({ path: here, line });
      walk(value as Node | null, here);
    }
  };
  walk(document.contents, '');
  return bare;
}

/** Whether a key is the first in its line and a line `# -- …` is in the block of comment above. Both count from 1. */
function hasComment(lines: readonly string[], line: number, column: number): boolean {
  if (lines[line - 1]?.slice(0, column - 1).trim() !== '') return false;
  for (let above = line - 2; /^\s*#/.test(lines[above] ?? ''); above--) {
    if (/^\s*# -- \S/.test(lines[above] ?? '')) return true;
  }
  return false;
}

/**
 * The examples that stand commented in a values file: blocks of comment from a line `#`, `# KEY:` to the end of the
 * block or the next line `#`.
 * @returns each as values, in the order of the file
 */
export function commentedExamples(text: string): readonly Record<string, unknown>[] {
  const blocks = text.matchAll(/^#\n((?:# (?: *)[^\n]*\n)+)(?=#?\n)/gm);
  return [...blocks]
    .map(([, block = '']) => block.replace(/^# /gm, ''))
    .filter((block) => /^\w+:\n/.test(block))
    .map((block) => parse(block) as Record<string, unknown>);
}
