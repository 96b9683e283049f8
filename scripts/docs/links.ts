/** A link in a Markdown text. */
export interface Link {
  readonly target: string;
  /** From 1. */
  readonly line: number;
}

/** The end of a link is enough: what is in its brackets may be a link itself, as a badge that leads somewhere. */
const inline = /\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g;
const reference = /^\[[^\]]+\]:\s+(\S+)/;
const html = /<(?:a|img)\s[^>]*(?:href|src)="([^"]+)"/g;

/** The links of a text, without what stands in code. */
export function linksOf(markdown: string): Link[] {
  const links: Link[] = [];
  for (const [index, text] of withoutCode(markdown).entries()) {
    const line = index + 1;
    for (const pattern of [inline, html]) {
      for (const [, target = ''] of text.matchAll(pattern)) links.push({ target, line });
    }
    const target = reference.exec(text)?.[1];
    if (target !== undefined) links.push({ target, line });
  }
  return links;
}

/** What a link may point to in a text: its headings as GitHub names them, and names given in HTML. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  const seen = new Map<string, number>();
  for (const line of withoutFences(markdown)) {
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1];
    if (heading !== undefined) {
      const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*]/g, '');
      const slug = plain
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\p{M}\p{Pc} -]/gu, '')
        .replaceAll(' ', '-');
      const before = seen.get(slug) ?? 0;
      seen.set(slug, before + 1);
      anchors.add(before === 0 ? slug : `${slug}-${before}`);
    }
    for (const [, name = ''] of line.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(name);
  }
  return anchors;
}

function withoutFences(markdown: string): string[] {
  let fence: string | undefined;
  return markdown.split('\n').map((line) => {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === undefined && mark === undefined) return line;
    if (fence === undefined) fence = mark;
    else if (mark?.startsWith(fence)) fence = undefined;
    return '';
  });
}

const withoutCode = (markdown: string) => withoutFences(markdown).map((line) => line.replaceAll(/(`+)(?!`).*?\1/g, ''));
