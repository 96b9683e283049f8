/** Longer link targets and labels than these are left as they stand. */
const image = /!\[[^\]\n]{0,300}\]\([^)\n]{0,1000}\)/g;
const link = /\[([^\]\n]{1,300})\]\([^)\n]{0,1000}\)/g;
/** What a reader would take for a citation of ours: Wikipedia's notes, for instance. */
const foreignMarker = /\[\s*\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*\s*\]/g;

/**
 * A sentence of a document for reading: without Markdown's marks, images, link targets and foreign `[1]`, on one line.
 * The quote of a citation is never this, but the document's own characters.
 */
export function plainText(markdown: string): string {
  return (
    markdown
      .replace(image, '')
      .replace(link, '$1')
      .replace(foreignMarker, '')
      .replace(/^\s*(?:#{1,6}\s+|>\s*|[-*+•]\s+(?:\[[ xX]\]\s+)?|\d{1,4}[.)]\s+)/, '')
      // From where white space begins: tried from each of it, a long run takes for ever.
      .replace(/^\s*\|\s*|(?<!\s)\s*\|\s*$/g, '')
      .replace(/(?<!\s)\s*\|\s*/g, ', ')
      .replace(/\*\*|__|~~|`+/g, '')
      .replace(/(^|[\s("'“])[*_](?=\S)|(?<=\S)[*_](?=$|[\s.,;:!?)"'”])/g, '$1')
      .replace(/\s+/g, ' ')
      .replace(/ (?=[.,;:!?)])/g, '')
      .trim()
  );
}
