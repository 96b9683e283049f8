/** Longer link targets and labels than these are left as they stand. */
const image = /!\[[^\]\n]{0,300}\]\([^)\n]{0,1000}\)/g;
const link = /\[([^\]\n]{1,300})\]\([^)\n]{0,1000}\)/g;
/** What a reader would take for a citation of ours: Wikipedia's notes, for instance. */
const foreignMarker = /\[\s*\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*\s*\]/g;
const lineMark = /^\s*(?:#{1,6}\s+|>\s*|[-*+•]\s+(?:\[[ xX]\]\s+)?|\d{1,3}[.)]\s+)/;
const codeSpan = /(?<!`)(`{1,2})(?!`)([^`]{1,1000})\1(?!`)/;

/**
 * A sentence of a document for reading: without Markdown's marks, images, link targets and foreign `[1]`, on one line.
 * Signs that mean something stay: those of code, `snake__case`, `2**10`, `_id`. The quote of a citation is never this, but
 * the document's own characters.
 */
export function plainText(markdown: string): string {
  const line = markdown.replace(image, '').replace(link, '$1').replace(foreignMarker, '').replace(lineMark, '').trim();
  return (
    cellsOf(line)
      // Between the captures of the code spans: text, back-quotes, code, text…
      .split(codeSpan)
      .map((part, at) => [withoutMarks(part), '', part][at % 3])
      .join('')
      .replace(/\s+/g, ' ')
      .trim()
  );
}

/** A row of a table as a list; any other line as it is. */
function cellsOf(line: string): string {
  if (!line.startsWith('|')) return line;
  return (
    line
      // From where white space begins: tried from each of it, a long run takes for ever.
      .replace(/^\|\s*|(?<!\s)\s*(?<!\\)\|$/g, '')
      .replace(/(?<!\s)\s*(?<!\\)\|\s*/g, ', ')
      .replaceAll('\\|', '|')
  );
}

const withoutMarks = (text: string): string =>
  text
    .replace(/(?<![\w)])\*\*|\*\*(?![\w(])|~~|`+/g, '')
    .replace(/(^|[\s("'“])(__?)(?=[^\s_])([^\n]{1,1000}?)(?<=[^\s_])\2(?=$|[\s.,;:!?)"'”])/g, '$1$3')
    .replace(/(^|[\s("'“])\*(?=\S)|(?<=\S)\*(?=$|[\s.,;:!?)"'”])/g, '$1')
    .replace(/ (?=[.,;:!?)])/g, '');
