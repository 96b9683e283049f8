import type { FormatEntry } from './format-parser.ts';

/** Every format that can be parsed: one line here and one file under `formats/`. */
export const formats: readonly FormatEntry[] = [
  {
    name: 'PDF',
    mediaTypes: ['application/pdf'],
    isolation: 'own',
    load: async () => (await import('./formats/pdf.ts')).parsePdf,
  },
  {
    name: 'DOCX',
    mediaTypes: ['application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    isolation: 'own',
    load: async () => (await import('./formats/docx.ts')).parseDocx,
  },
  {
    name: 'HTML',
    mediaTypes: ['text/html', 'application/xhtml+xml'],
    isolation: 'pooled',
    load: async () => (await import('./formats/html.ts')).parseHtml,
  },
  {
    name: 'Markdown',
    mediaTypes: ['text/markdown'],
    isolation: 'pooled',
    load: async () => (await import('./formats/markdown.ts')).parseMarkdown,
  },
  {
    name: 'plain text',
    mediaTypes: ['text/plain'],
    isolation: 'pooled',
    load: async () => (await import('./formats/plain-text.ts')).parsePlainText,
  },
  {
    name: 'PNG, JPEG, TIFF, WebP',
    mediaTypes: ['image/png', 'image/jpeg', 'image/tiff', 'image/webp'],
    isolation: 'own',
    load: async () => (await import('./formats/image.ts')).parseImage,
  },
];

/** The format of a media type, if there is one. */
export function findFormat(entries: readonly FormatEntry[], mediaType: string): FormatEntry | undefined {
  return entries.find((entry) => entry.mediaTypes.includes(mediaType));
}
