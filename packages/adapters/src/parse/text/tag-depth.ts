import { MemoryError } from '@semantic-memory/shared/contracts/errors';

/** Recursive walkers hang or overflow somewhere beyond this; real pages stay below 60. */
export const maxTagDepth = 500;

// Never closed, or closed by what follows: they do not nest however many are open.
const flat = new Set(
  'area base br col embed hr img input link meta param source track wbr p li dt dd tr td th thead tbody tfoot option colgroup rt rp'.split(
    ' ',
  ),
);
const rawText = new Set(['script', 'style', 'textarea', 'title', 'template', 'noscript']);
const tagStart = /<(\/?)([a-zA-Z][^\s/>]{0,40})/g;

/**
 * Refuses markup nested too deep, in one pass over the tags, before anything recursive sees it.
 * @throws MemoryError `limits_exceeded`
 */
export function checkTagDepth(markup: string): void {
  tagStart.lastIndex = 0;
  const open = new Map<string, number>();
  let depth = 0;
  for (let match = tagStart.exec(markup); match; match = tagStart.exec(markup)) {
    const name = match[2]!.toLowerCase();
    if (flat.has(name)) continue;
    if (match[1]) {
      const count = open.get(name) ?? 0;
      if (count === 0) continue;
      open.set(name, count - 1);
      depth -= 1;
      continue;
    }
    if (rawText.has(name)) {
      const end = markup.indexOf(`</${match[2]}`, tagStart.lastIndex);
      if (end < 0) return;
      tagStart.lastIndex = end;
      continue;
    }
    const close = markup.indexOf('>', tagStart.lastIndex);
    if (close > 0 && markup[close - 1] === '/') continue;
    open.set(name, (open.get(name) ?? 0) + 1);
    depth += 1;
    if (depth > maxTagDepth) {
      throw new MemoryError('limits_exceeded', `The document's elements are nested more than ${maxTagDepth} deep.`, {
        hint: 'Send it in a simpler form, such as plain text.',
      });
    }
  }
}
