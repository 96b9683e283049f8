import { attributeIn } from './word-xml.ts';

const end = '</w:style>';
/** Headings in HTML have as many levels. */
const levels = 6;
/** No styles that somebody made are based on one another more often. */
const maxDepth = 20;

/**
 * Gives the styles that are headings by their outline level, or by the style they are based on, the names by which
 * mammoth knows headings: templates have headings of their own.
 * @param xml the part of a Word document that holds its styles
 */
export function withHeadingNames(xml: string): string {
  const parts = xml.split(end);
  const styles = new Map(parts.map((part) => [attributeIn(styleOf(part), 'style', 'styleId'), styleOf(part)]));
  const named = parts.map((part) => {
    const style = styleOf(part);
    const level = attributeIn(style, 'style', 'type') === 'paragraph' ? levelOf(style, styles) : 0;
    if (level < 1 || level > levels) return part;
    const name = `<w:name w:val="heading ${level}"/>`;
    return part.slice(0, part.length - style.length) + style.replace(/<w:name\s[^>]{0,500}>/, name);
  });
  return named.join(end);
}

/** The style that a part ends with. */
function styleOf(part: string): string {
  return part.slice(Math.max(0, part.lastIndexOf('<w:style ')));
}

/** 1 for the topmost headings; 0, or more than 6, for what is no heading. */
export function levelOf(style: string, styles: ReadonlyMap<string | undefined, string>, depth = 0): number {
  const outline = attributeIn(style, 'outlineLvl', 'val');
  if (outline !== undefined) return Number(outline) + 1;
  const heading = /^heading ([1-9])$/i.exec(attributeIn(style, 'name', 'val') ?? '')?.[1];
  if (heading !== undefined) return Number(heading);
  const base = styles.get(attributeIn(style, 'basedOn', 'val') ?? '');
  return base === undefined || depth > maxDepth ? 0 : levelOf(base, styles, depth + 1);
}
