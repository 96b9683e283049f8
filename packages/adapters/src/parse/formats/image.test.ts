import { expect, test } from '@jest/globals';
import sharp from 'sharp';
import { contextOf, generousLimits, withFile } from '../testing/format-context.ts';
import { parseImage } from './image.ts';

const parse = (bytes: Uint8Array, mediaType: string, limits = generousLimits) =>
  withFile(bytes, (path) => parseImage(path, contextOf(mediaType, { limits })));

const frames = (height: number, pageHeight: number) =>
  sharp({ create: { width: 40, height, pageHeight, channels: 3, background: 'white' } as never });

test('a picture is one page, left to OCR, and so are the frames of a film', async () => {
  const picture = await sharp({ create: { width: 40, height: 30, channels: 3, background: 'white' } })
    .png()
    .toBuffer();
  const page = { number: 1, text: '', needsOcr: true };
  expect(await parse(picture, 'image/png')).toMatchObject({ mediaType: 'image/png', paged: true, pages: [page] });
  expect((await parse(await frames(90, 30).webp().toBuffer(), 'image/webp')).pages).toEqual([page]);
});

test('a TIFF has as many pages as it holds', async () => {
  const numbersOf = async (height: number) =>
    (await parse(await frames(height, 30).tiff().toBuffer(), 'image/tiff')).pages.map(({ number }) => number);
  expect(await numbersOf(30)).toEqual([1]);
  expect(await numbersOf(90)).toEqual([1, 2, 3]);
});

test('too many pixels or pages are refused, in words that say how many', async () => {
  const tiff = await frames(90, 30).tiff().toBuffer();
  await expect(parse(tiff, 'image/tiff', { ...generousLimits, maxImagePixels: 1199 })).rejects.toMatchObject({
    code: 'limits_exceeded',
    message: expect.stringContaining('40 × 30'),
  });
  await expect(parse(tiff, 'image/tiff', { ...generousLimits, maxPages: 2 })).rejects.toMatchObject({
    code: 'too_many_pages',
    message: expect.stringContaining('3 pages'),
  });
});

test('a picture that is none is damaged', async () => {
  await expect(parse(Buffer.from('not a picture'), 'image/png')).rejects.toMatchObject({ code: 'corrupt_document' });
});
