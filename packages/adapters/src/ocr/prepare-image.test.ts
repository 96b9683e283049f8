import { expect, test } from '@jest/globals';
import { shareOfSpecks } from './clean-image.ts';
import { type GreyImage, isBlank, medianGrey, toSharp } from './grey-image.ts';
import { findSkew, rowToColumnEnergy } from './orientation.ts';
import { prepareImage, turned } from './prepare-image.ts';

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
