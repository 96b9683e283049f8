import { stat } from 'node:fs/promises';
import { createCanvas } from '@napi-rs/canvas';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import sharp from 'sharp';
import { openPdf, type PdfDocument } from '../parse/pdf/open-pdf.ts';
import { fromSharp, type GreyImage, isBlank } from './grey-image.ts';
import { hasUndrawnImage } from './undrawn-image.ts';

const renderDpi = 200;
/** Some 390 dpi on A4: beyond it tesseract takes memory and reads no better. */
const maxWorkingPixels = 16e6;
const maxSidePx = 12_000;

let open: { key: string; document: PdfDocument } | undefined;

/**
 * The picture of one page.
 * @param number From 1.
 * @returns Nothing where the page is blank.
 * @throws MemoryError `corrupt_document`, `limits_exceeded` where it cannot be seen
 */
export async function loadPageImage(
  path: string,
  mediaType: string,
  number: number,
  maxImagePixels: number,
): Promise<GreyImage | undefined> {
  return mediaType === 'application/pdf'
    ? renderPdfPage(path, number)
    : decodePicture(path, mediaType, number, maxImagePixels);
}

async function decodePicture(
  path: string,
  mediaType: string,
  number: number,
  limit: number,
): Promise<GreyImage | undefined> {
  const page = mediaType === 'image/tiff' ? { page: number - 1 } : {};
  const input = sharp(path, { ...page, limitInputPixels: limit, failOn: 'error' }).autoOrient();
  const { width, height } = await input.metadata();
  const scale = Math.sqrt(maxWorkingPixels / (width * height));
  const sized =
    scale < 1
      ? input.resize({ width: Math.floor(width * scale), height: Math.floor(height * scale), fit: 'inside' })
      : input;
  const image = await fromSharp(sized.flatten({ background: '#ffffff' }).toColourspace('b-w'));
  return isBlank(image) ? undefined : image;
}

/** A child reads page after page of the same file: it is opened once. */
async function openOnce(path: string): Promise<PdfDocument> {
  const { size, mtimeMs, ino } = await stat(path);
  const key = `${path} ${size} ${mtimeMs} ${ino}`;
  if (open?.key !== key) {
    await open?.document.loadingTask.destroy();
    open = undefined;
    open = { key, document: await openPdf(path) };
  }
  return open.document;
}

async function renderPdfPage(path: string, number: number): Promise<GreyImage | undefined> {
  const document = await openOnce(path);
  const page = await document.getPage(number);
  const viewport = page.getViewport({ scale: scaleFor(page.getViewport({ scale: 1 })) });
  const width = Math.max(1, Math.ceil(viewport.width));
  const height = Math.max(1, Math.ceil(viewport.height));
  const canvas = createCanvas(width, height);
  // pdf.js is typed for the browser's canvas; this one draws the same.
  await page.render({ canvas: canvas as never, viewport }).promise;
  const image = toGrey(canvas.getContext('2d').getImageData(0, 0, width, height).data, width, height);
  const blank = isBlank(image);
  const undrawn = blank && (await hasUndrawnImage(page));
  page.cleanup();
  if (undrawn) {
    throw new MemoryError('corrupt_document', 'The page holds a picture that could not be drawn.', {
      hint: 'Its compression is damaged, unusual, or the picture is too large.',
    });
  }
  return blank ? undefined : image;
}

/** 200 dpi, less for pages that would be too large; a hostile one is 1 × 6,500,000 pt. */
function scaleFor({ width, height }: { width: number; height: number }): number {
  const dpi = renderDpi / 72;
  return Math.min(dpi, Math.sqrt(maxWorkingPixels / (width * height)), maxSidePx / width, maxSidePx / height);
}

function toGrey(rgba: Uint8ClampedArray, width: number, height: number): GreyImage {
  const pixels = new Uint8Array(width * height);
  // Rec. 601 weights in 256ths.
  for (let at = 0, from = 0; at < pixels.length; at++, from += 4) {
    pixels[at] = (rgba[from]! * 77 + rgba[from + 1]! * 150 + rgba[from + 2]! * 29) >> 8;
  }
  return { pixels, width, height };
}
