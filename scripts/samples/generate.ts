import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp, { type Sharp } from 'sharp';
import { writeDocx } from './docx-writer.ts';
import { annualReport, divingManual, foulingArticle, labReport, leaseAgreement } from './papers.ts';
import { type PdfPage, type PdfText, writePdf } from './pdf-writer.ts';
import { type Camera, photograph, type Sheet } from './photograph.ts';
import { auditorsPage, type Picture, pictures, scannedLetter } from './pictures.ts';
import { seededRandom } from './random.ts';
import { wrap } from './typeset.ts';

/**
 * Writes the documents of the sample library that are not plain text. The files are committed, since encoders of
 * pictures differ between versions; run it again only to change them.
 */
async function generate(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const write = (name: string, data: Buffer) => writeFile(join(folder, name), data);
  await write('hall-lease.docx', writeDocx(leaseAgreement.title, leaseAgreement.blocks));
  await write('membrane-lab-report.docx', writeDocx(labReport.title, labReport.blocks));
  await write('blade-fouling-two-columns.pdf', twoColumns());
  const manual = writePdf(
    divingManual.pages.map(({ heading, paragraphs }) => textPage(heading, paragraphs)),
    {
      title: divingManual.title,
    },
  );
  await write('diving-manual.pdf', manual);
  const letter = await Promise.all(
    scannedLetter.map((sheet, index) => scan(sheet, { seed: 21 + index, tilt: 0.6 - index })),
  );
  await write('permit-letter-scanned.pdf', writePdf(letter));
  await write('annual-report-mixed.pdf', await mixedReport());
  for (const { file, format, sheet, camera } of pictures) {
    const photo = await photograph(sheet, camera);
    await write(file, await encoders[format](photo).toBuffer());
  }
  await write(
    'blank-page.png',
    await sharp({ create: { width: 600, height: 800, channels: 3, background: '#ffffff' } })
      .png()
      .toBuffer(),
  );
  await write(
    'encrypted.pdf',
    writePdf([textPage('Sealed', ['Nobody reads this without the password.'])], { password: 'tern' }),
  );
  await write('truncated.pdf', manual.subarray(0, Math.floor(manual.length * 0.4)));
  const random = seededRandom(31);
  await write('firmware.bin', Buffer.from(Array.from({ length: 4096 }, () => Math.floor(random() * 256))));
}

/** Each chosen at the call: asking a sharp object for a format sets it, and the last one counts. */
const encoders: Record<Picture['format'], (photo: Sharp) => Sharp> = {
  png: (photo) => photo.png({ compressionLevel: 9 }),
  jpeg: (photo) => photo.jpeg({ quality: 78 }),
  tiff: (photo) => photo.tiff({ compression: 'deflate' }),
  webp: (photo) => photo.webp({ quality: 72 }),
};

function paragraphTexts(paragraphs: readonly string[], x: number, top: number, size: number, width: number): PdfText[] {
  const texts: PdfText[] = [];
  let y = top;
  for (const paragraph of paragraphs) {
    for (const text of wrap(paragraph, size, width)) {
      texts.push({ x, y, size, text });
      y += size * 1.35;
    }
    y += size * 0.9;
  }
  return texts;
}

function textPage(heading: string, paragraphs: readonly string[]): PdfPage {
  return {
    texts: [{ x: 64, y: 88, size: 18, font: 'bold', text: heading }, ...paragraphTexts(paragraphs, 64, 124, 11, 467)],
  };
}

/** The article runs down the left column, then down the right one. */
function twoColumns(): Buffer {
  const [columnWidth, gap, left, top, size] = [225, 25, 60, 150, 9.5];
  const { title, authors, paragraphs } = foulingArticle;
  const leftCount = 4;
  const texts: PdfText[] = [
    { x: left, y: 84, size: 17, font: 'bold', text: title },
    { x: left, y: 110, size: 11, text: authors },
    ...paragraphTexts(paragraphs.slice(0, leftCount), left, top, size, columnWidth),
    ...paragraphTexts(paragraphs.slice(leftCount), left + columnWidth + gap, top, size, columnWidth),
  ];
  return writePdf([{ texts }], { title });
}

async function scan(sheet: Sheet, camera: Camera): Promise<PdfPage> {
  const taken = await photograph(sheet, { noise: 8, ...camera, gray: true });
  const { data, info } = await taken.jpeg({ quality: 55 }).toBuffer({ resolveWithObject: true });
  return { jpeg: data, width: info.width, height: info.height, gray: info.channels === 1 };
}

async function mixedReport(): Promise<Buffer> {
  const { title, first, last } = annualReport;
  const pages = [textPage(title, first), await scan(auditorsPage, { seed: 41, tilt: 0.4 }), textPage('Outlook', last)];
  return writePdf(pages, { title });
}

await generate(fileURLToPath(new URL('../../memory/data-repo/sample-docs/', import.meta.url)));
