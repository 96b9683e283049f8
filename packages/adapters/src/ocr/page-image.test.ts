import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import sharp from 'sharp';
import { makePdf, pageOfLines, type Scan } from '../parse/testing/make-pdf.ts';
import { medianGrey } from './grey-image.ts';
import { loadPageImage } from './page-image.ts';

// pdf.js takes its time on a busy machine.
jest.setTimeout(60_000);

const pdfType = 'application/pdf';
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'page-image-test-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const fixture = (name: string) => fileURLToPath(new URL(`../../testdata/ocr/${name}`, import.meta.url));

async function written(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, bytes);
  return path;
}

const sizeOf = async (path: string, mediaType: string, number = 1) => {
  const image = await loadPageImage(path, mediaType, number, 1e8);
  return image && [image.width, image.height];
};
/** White, with a black half. */
const halves = (width: number, height: number) =>
  sharp(Buffer.alloc(width * height).fill(255, (width * height) / 2), { raw: { width, height, channels: 1 } });

test('a picture is decoded in grey, turned as its camera says', async () => {
  expect(await sizeOf(fixture('page.png'), 'image/png')).toEqual([900, 300]);
  const turned = await halves(40, 20).jpeg().withMetadata({ orientation: 6 }).toBuffer();
  expect(await sizeOf(await written('turned.jpg', turned), 'image/jpeg')).toEqual([20, 40]);
});

test('what shines through a picture is white', async () => {
  const clear = sharp({ create: { width: 40, height: 40, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } });
  const mark = { input: await halves(8, 8).png().toBuffer(), left: 0, top: 0 };
  const path = await written('clear.png', await clear.composite([mark]).png().toBuffer());
  expect(medianGrey((await loadPageImage(path, 'image/png', 1, 1e8))!)).toBe(255);
});

test('a picture of more pixels than help is made smaller, one of more than are allowed is refused', async () => {
  const path = await written('large.png', await halves(5000, 3300).png({ compressionLevel: 1 }).toBuffer());
  const [width, height] = (await sizeOf(path, 'image/png'))!;
  expect(width! * height!).toBeLessThanOrEqual(16e6);
  expect(width! / height!).toBeCloseTo(5000 / 3300, 2);
  await expect(loadPageImage(path, 'image/png', 1, 1e6)).rejects.toThrow('pixel limit');
});

test('a TIFF is read by page, and a page of one colour is blank', async () => {
  const pages = Buffer.concat([Buffer.alloc(600, 255), Buffer.alloc(600).fill(255, 300)]);
  const tiff = sharp(pages, { raw: { width: 30, height: 40, channels: 1, pageHeight: 20 } }).tiff();
  const path = await written('pages.tiff', await tiff.toBuffer());
  expect(await sizeOf(path, 'image/tiff', 1)).toBeUndefined();
  expect(await sizeOf(path, 'image/tiff', 2)).toEqual([30, 20]);
});

test('a page of a PDF is drawn at 200 dpi, and one with nothing on it is blank', async () => {
  const path = await written('pages.pdf', makePdf([pageOfLines(['The tide.']), { lines: [] }, pageOfLines([' '])]));
  expect(await sizeOf(path, pdfType, 1)).toEqual([1700, 2200]);
  expect(await sizeOf(path, pdfType, 2)).toBeUndefined();
  expect(await sizeOf(path, pdfType, 3)).toBeUndefined();
});

test('another PDF under the same name is opened anew', async () => {
  const path = await written('same.pdf', makePdf([{ lines: [] }]));
  expect(await sizeOf(path, pdfType)).toBeUndefined();
  await written('same.pdf', makePdf([pageOfLines(['The tide.'])]));
  expect(await sizeOf(path, pdfType)).toEqual([1700, 2200]);
});

test('a page of absurd sides is drawn as large as can be', async () => {
  const pdf = makePdf([{ lines: [{ text: 'M', x: -500, y: 50_000, size: 3000 }] }])
    .toString('latin1')
    .replace('/MediaBox[0 0 612 792]', '/MediaBox[0 0 2 99999]');
  expect(await sizeOf(await written('absurd.pdf', Buffer.from(pdf, 'latin1')), pdfType)).toEqual([1, 12_000]);
});

const pathOfScan = (name: string, scan: Scan) => written(name, makePdf([scan]));

test.each(['DCTDecode', 'JBIG2Decode'] as const)(
  'a page whose picture cannot be drawn is not taken for a blank one (%s)',
  async (filter) => {
    const scan = { bytes: Buffer.alloc(3000, 0x5a), filter, width: 850, height: 1100 };
    const path = await pathOfScan(`bad-${filter}.pdf`, scan);
    await expect(sizeOf(path, pdfType)).rejects.toMatchObject({ code: 'corrupt_document' });
  },
);

test('the white back of a scanned sheet is blank', async () => {
  const white = await sharp({ create: { width: 85, height: 110, channels: 3, background: 'white' } })
    .greyscale()
    .jpeg()
    .toBuffer();
  const path = await pathOfScan('back.pdf', { bytes: white, filter: 'DCTDecode', width: 85, height: 110 });
  expect(await sizeOf(path, pdfType)).toBeUndefined();
});
