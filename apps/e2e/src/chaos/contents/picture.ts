import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createCanvas, GlobalFonts } from '@napi-rs/canvas';

/** The font comes with the PDF library, so that pictures are the same on every machine. */
const adapters = createRequire(
  fileURLToPath(new URL('../../../../../packages/adapters/package.json', import.meta.url)),
);
const fonts = adapters.resolve('pdfjs-dist/package.json').replace('package.json', 'standard_fonts/');
GlobalFonts.registerFromPath(`${fonts}LiberationSans-Regular.ttf`, 'Chaos');

const width = 1000;
const fontSize = 34;
const lineHeight = 50;
const margin = 60;

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly png: () => Promise<Uint8Array>;
  /** In colour: what a scanner sends. */
  readonly jpeg: () => Promise<Uint8Array>;
}

/** A white page with black text, which any OCR reads. Without words it is blank. */
export function drawPage(text: string): Picture {
  const ruler = createCanvas(1, 1).getContext('2d');
  ruler.font = `${fontSize}px Chaos`;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (ruler.measureText(longer).width <= width - 2 * margin) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  if (line !== '') lines.push(line);
  const height = 2 * margin + Math.max(4, lines.length) * lineHeight;
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  context.fillStyle = 'white';
  context.fillRect(0, 0, width, height);
  context.fillStyle = 'black';
  context.font = `${fontSize}px Chaos`;
  lines.forEach((part, index) => {
    context.fillText(part, margin, margin + (index + 1) * lineHeight - 12);
  });
  return { width, height, png: () => canvas.encode('png'), jpeg: () => canvas.encode('jpeg', 85) };
}
