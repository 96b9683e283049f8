import { createRequire } from 'node:module';
import { createCanvas, GlobalFonts } from '@napi-rs/canvas';

/** Liberation Sans comes with pdf.js and has the widths of Helvetica: the same lines on paper, in PDF and on any machine. */
const adapters = createRequire(new URL('../../packages/adapters/package.json', import.meta.url));
const fonts = adapters.resolve('pdfjs-dist/package.json').replace('package.json', 'standard_fonts/');
GlobalFonts.registerFromPath(`${fonts}LiberationSans-Regular.ttf`, 'Sample');
GlobalFonts.registerFromPath(`${fonts}LiberationSans-Bold.ttf`, 'SampleBold');

export const fontOf = (size: number, bold = false) => `${size}px ${bold ? 'SampleBold' : 'Sample'}`;

const ruler = createCanvas(8, 8).getContext('2d');

/** The lines of a paragraph that are at most so wide, in the unit of the font's size. */
export function wrap(text: string, size: number, width: number, bold = false): string[] {
  ruler.font = fontOf(size, bold);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    const longer = line ? `${line} ${word}` : word;
    if (line && ruler.measureText(longer).width > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}
