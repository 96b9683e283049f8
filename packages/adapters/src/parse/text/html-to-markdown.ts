import { highlightedCodeBlock, taskListItems } from '@joplin/turndown-plugin-gfm';
import TurndownService from 'turndown';
import { superscript } from './superscript.ts';
import { tables } from './tables.ts';
import { checkTagDepth } from './tag-depth.ts';

const neverText = new Set('SCRIPT STYLE NOSCRIPT TEMPLATE IFRAME OBJECT HEAD TITLE SVG CANVAS AUDIO VIDEO'.split(' '));
const aroundContent = new Set(['NAV', 'FOOTER', 'ASIDE']);
const aroundRoles = new Set(['navigation', 'contentinfo', 'search', 'complementary']);

/**
 * HTML as Markdown: headings, lists, tables and code kept; links, emphasis and pictures reduced to their words, since
 * targets and marks in the middle of a sentence or word break what is searched for and quoted.
 * @param mainContentOnly Leaves out what stands around the content of a web page: navigation, footer, asides.
 * @throws MemoryError `limits_exceeded` where elements nest too deep.
 */
export function htmlToMarkdown(html: string, { mainContentOnly }: { mainContentOnly: boolean }): string {
  checkTagDepth(html);
  const turndown = new TurndownService({
    headingStyle: 'atx',
    bulletListMarker: '-',
    codeBlockStyle: 'fenced',
    emDelimiter: '*',
    hr: '---',
  });
  turndown.use([highlightedCodeBlock, taskListItems, tables]);
  // Backslashes would stand in the text that is searched and quoted. Only what would turn a line into a heading is marked.
  turndown.escape = (text) => text.replace(/^(#{1,6}\s)/, '\\$1');
  turndown.addRule('emphasis', { filter: ['b', 'strong', 'i', 'em', 'del', 's'], replacement: (content) => content });
  turndown.addRule('exponent', { filter: 'sup', replacement: superscript });
  // Each is on a line of its own where a page is shown.
  turndown.addRule('choice', { filter: 'option', replacement: (content) => `\n${content}\n` });
  turndown.addRule('link', { filter: 'a', replacement: (content) => content });
  turndown.addRule('picture', {
    filter: 'img',
    replacement: (_content, node) => (node as ElementLike).getAttribute('alt')?.replace(/\s+/g, ' ').trim() ?? '',
  });
  // Not `remove`, which comes after the rules for paragraphs and the like. The last rule added is asked first.
  turndown.addRule('left out', {
    filter: (node) =>
      neverText.has(node.nodeName.toUpperCase()) || isHidden(node) || (mainContentOnly && isAround(node)),
    replacement: () => '',
  });
  return turndown
    .turndown(html)
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** The little of the DOM that the rules look at. */
interface ElementLike {
  readonly nodeName: string;
  getAttribute(name: string): string | null;
}

function isHidden(element: ElementLike): boolean {
  if (element.getAttribute('hidden') !== null) return true;
  const style = element.getAttribute('style');
  return style !== null && /display\s*:\s*none|visibility\s*:\s*hidden/i.test(style);
}

function isAround(element: ElementLike): boolean {
  return aroundContent.has(element.nodeName) || aroundRoles.has(element.getAttribute('role') ?? '');
}
