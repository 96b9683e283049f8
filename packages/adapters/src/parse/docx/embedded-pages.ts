import { charsetOf, decodeText } from '../text/charset.ts';
import { htmlToMarkdown } from '../text/html-to-markdown.ts';

const start = /<w:altChunk\s(?:[^>]{0,300}\s)?r:id="([^"]{1,100})"[^>]{0,300}>/g;
/** Between characters that no font has. */
const place = /\ue000(.{1,100}?)\ue001/g;

/**
 * Marks where a Word document takes in another file as a whole, as programs do that make documents from HTML. mammoth
 * leaves it out.
 * @param xml the part of the document that holds its text
 */
export function withPlaces(xml: string): string {
  return xml.replace(start, '<w:p><w:r><w:t>\ue000$1\ue001</w:t></w:r></w:p>').replaceAll('</w:altChunk>', '');
}

/**
 * Puts pages of HTML into the places marked for them, as Markdown, each once.
 * @param relations the part that says what the ids in the document stand for
 * @param read a part by its name
 * @returns the text, and the names of files of other formats, which are not read
 */
export function withPages(
  text: string,
  relations: string,
  read: (name: string) => Buffer | undefined,
): { text: string; unread: string[] } {
  const targets = new Map<string, string>();
  for (const [relation] of relations.matchAll(/<Relationship\s[^>]{1,2000}>/g)) {
    const target = /\sTarget="\/?(?:word\/)?([^"]+)"/.exec(relation)?.[1];
    const id = /\sId="([^"]+)"/.exec(relation)?.[1];
    if (id && target) targets.set(id, target);
  }
  const unread: string[] = [];
  const complete = text.replace(place, (_, id: string) => {
    const target = targets.get(id) ?? '';
    targets.delete(id);
    const bytes = /\.(?:mht|mhtml|html?|xhtml)$/i.test(target) ? read(`word/${target}`) : undefined;
    if (bytes) return htmlToMarkdown(pageIn(bytes), { mainContentOnly: false });
    if (target) unread.push(target);
    return '';
  });
  return { text: complete, unread };
}

/** The page of HTML in some bytes, which may be an archive of a page and its pictures (MIME). */
function pageIn(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  const boundary = /^content-type:\s*multipart\/[\s\S]{0,300}?boundary="?([^"\r\n;]{1,100})/im.exec(
    text.slice(0, 4000),
  )?.[1];
  const parts = boundary === undefined ? [] : text.split(`--${boundary}`);
  const part = parts.find((each) => /^content-type:\s*text\/html/im.test(each.slice(0, 2000)));
  if (part === undefined) return decodeText(bytes).text;
  const [head] = part.split(/\r?\n\r?\n/, 1) as [string];
  const type = /^content-type:(.*(?:\r?\n[ \t].*)*)/im.exec(head)?.[1];
  return decodeText(decoded(part.slice(head.length), head), charsetOf(type)).text;
}

function decoded(body: string, head: string): Buffer {
  if (/^content-transfer-encoding:\s*base64/im.test(head)) return Buffer.from(body, 'base64');
  if (!/^content-transfer-encoding:\s*quoted-printable/im.test(head)) return Buffer.from(body, 'latin1');
  const joined = body.replace(/=\r?\n/g, '');
  const characters = joined.replace(/=([\da-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(characters, 'latin1');
}
