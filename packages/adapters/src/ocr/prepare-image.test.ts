import { expect, jest, test } from '@jest/globals';
import { shareOfSpecks } from './clean-image.ts';
import { type GreyImage, isBlank, medianGrey, toSharp } from './grey-image.ts';
import { findSkew, rowToColumnEnergy } from './orientation.ts';
import { prepareImage, turned } from './prepare-image.ts';

// Every pixel is looked at many times, on a busy machine.
jest.setTimeout(60_000);

/** Lines of dashes, as text looks from afar. */
function ruledPage(ink = 0, paper = 255): GreyImage {
  const [width, height] = [600, 400];
  const pixels = new Uint8Array(width * height).fill(paper);
  for (let y = 40; y < height - 40; y++) {
    if (y % 20 >= 8) continue;
    for (let x = 40; x < width - 40; x++) if ((x + Math.floor(y / 20) * 7) % 12 < 8) pixels[y * width + x] = ink;
  }
  return { pixels, width, height };
}

test('a page on its side is told from an upright one and turned', async () => {
  const upright = ruledPage();
  const sideways = await turned(upright, 90);
  expect(rowToColumnEnergy(upright)).toBeGreaterThan(1);
  expect(rowToColumnEnergy(sideways)).toBeLessThan(0.3);
  const prepared = await prepareImage(sideways);
  expect([prepared.width, prepared.height]).toEqual([600, 400]);
});

test('skew is found to a tenth of a degree or two, and removed', async () => {
  const leaning = await turned(ruledPage(), 2);
  const { degrees, gain } = findSkew(leaning);
  expect(Math.abs(degrees - 2)).toBeLessThanOrEqual(0.2);
  expect(gain).toBeGreaterThan(1.08);
  expect(Math.abs(findSkew(await prepareImage(leaning)).degrees)).toBeLessThanOrEqual(0.2);
  expect(findSkew(ruledPage()).degrees).toBe(0);
});

test('white on black is turned round', async () => {
  const prepared = await prepareImage(ruledPage(255, 0));
  expect(medianGrey(prepared)).toBeGreaterThan(200);
});

test('a shadow over the paper is divided away', async () => {
  const page = ruledPage();
  const shaded = {
    ...page,
    pixels: page.pixels.map((value, at) => Math.round(value * (0.4 + (0.6 * (at % 600)) / 600))),
  };
  const prepared = await prepareImage(shaded);
  const margin = Array.from({ length: 600 }, (_, x) => prepared.pixels[20 * 600 + x]!);
  expect(Math.min(...margin)).toBeGreaterThan(235);
});

test('specks are seen, and thin lines are not taken for them', async () => {
  const page = ruledPage();
  expect(shareOfSpecks(page)).toBe(0);
  const pixels = page.pixels.slice();
  for (let at = 601; at < pixels.length; at += 97) pixels[at] = 0;
  expect(shareOfSpecks({ ...page, pixels })).toBeGreaterThan(0.002);
});

test('only a page of one colour is blank', async () => {
  expect(isBlank({ pixels: new Uint8Array(100).fill(255), width: 10, height: 10 })).toBe(true);
  expect(isBlank(ruledPage())).toBe(false);
  expect((await toSharp(ruledPage()).metadata()).width).toBe(600);
});

test('specks are taken away where there are many', async () => {
  const page = ruledPage();
  const pixels = page.pixels.slice();
  for (let at = 601; at < pixels.length; at += 97) pixels[at] = 0;
  const prepared = await prepareImage({ ...page, pixels });
  expect(shareOfSpecks(prepared)).toBe(0);
});

test('a page without ink is neither turned nor straightened', async () => {
  const faint = { pixels: new Uint8Array(600 * 400).fill(250), width: 600, height: 400 };
  expect(rowToColumnEnergy(faint)).toBe(Number.POSITIVE_INFINITY);
  expect(findSkew(faint)).toEqual({ degrees: 0, gain: 1 });
  const prepared = await prepareImage(faint);
  expect([prepared.width, prepared.height]).toEqual([600, 400]);
});

test('the median is the value that half of the pixels are not above', () => {
  const of = (...values: number[]) => medianGrey({ pixels: Uint8Array.from(values), width: values.length, height: 1 });
  expect([of(0), of(255), of(10, 20, 30), of(10, 20, 30, 40), of(255, 255, 0)]).toEqual([0, 255, 20, 20, 255]);
});

test('a strip too thin to have a background of its own is kept', async () => {
  const strip = {
    pixels: Uint8Array.from({ length: 200 * 30 }, (_, at) => (Math.floor(at / 200) % 15 < 5 ? 0 : 255)),
    width: 200,
    height: 30,
  };
  const prepared = await prepareImage(strip);
  expect([prepared.width, prepared.height]).toEqual([200, 30]);
});
