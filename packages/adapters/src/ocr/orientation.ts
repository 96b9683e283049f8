import type { GreyImage } from './grey-image.ts';

const inkBelow = 160;
const maxInkPixels = 150_000;
const maxSkewDegrees = 6;

/**
 * How much the ink varies from row to row against from column to column. Lines of text make strong rows: upright pages
 * are well above 1, pages on their side well below.
 */
export function rowToColumnEnergy({ pixels, width, height }: GreyImage): number {
  const rows = new Float64Array(height);
  const columns = new Float64Array(width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (pixels[y * width + x]! >= inkBelow) continue;
      rows[y]! += 1;
      columns[x]! += 1;
    }
  }
  // Per unit of length, so that long pages do not look upright.
  const columnEnergy = energyOf(columns) * width;
  return columnEnergy === 0 ? Number.POSITIVE_INFINITY : (energyOf(rows) * height) / columnEnergy;
}

/**
 * By how many degrees the text leans, positive where lines fall to the right, and how much sharper its rows become when
 * it is straightened (1: not at all).
 */
export function findSkew(image: GreyImage): { degrees: number; gain: number } {
  const ink = inkPixels(image);
  const score = (degrees: number) => rowEnergyAt(ink, image, degrees);
  const straight = score(0);
  if (straight === 0) return { degrees: 0, gain: 1 };
  const around = (centre: number, reach: number, step: number) => {
    let best = { degrees: centre, score: score(centre) };
    for (let degrees = centre - reach; degrees <= centre + reach + 1e-9; degrees += step) {
      const here = score(degrees);
      if (here > best.score) best = { degrees, score: here };
    }
    return best;
  };
  const rough = around(0, maxSkewDegrees, 0.5);
  const fine = around(rough.degrees, 0.4, 0.1);
  return { degrees: fine.degrees, gain: fine.score / straight };
}

interface Ink {
  readonly xs: Uint16Array;
  readonly ys: Uint16Array;
}

function inkPixels({ pixels, width, height }: GreyImage): Ink {
  let count = 0;
  for (const value of pixels) if (value < inkBelow) count += 1;
  // Whole columns are left out, since leaving out rows would make rows.
  const stride = Math.max(1, Math.ceil(count / maxInkPixels));
  const xs: number[] = [];
  const ys: number[] = [];
  for (let x = 0; x < width; x += stride) {
    for (let y = 0; y < height; y++) {
      if (pixels[y * width + x]! >= inkBelow) continue;
      xs.push(x);
      ys.push(y);
    }
  }
  return { xs: Uint16Array.from(xs), ys: Uint16Array.from(ys) };
}

function rowEnergyAt({ xs, ys }: Ink, { width, height }: GreyImage, degrees: number): number {
  const slope = Math.tan((degrees * Math.PI) / 180);
  const margin = Math.ceil(Math.abs(slope) * width) + 1;
  const rows = new Float64Array(height + 2 * margin);
  for (let at = 0; at < xs.length; at++) rows[Math.round(ys[at]! - xs[at]! * slope) + margin]! += 1;
  return energyOf(rows);
}

function energyOf(profile: Float64Array): number {
  let energy = 0;
  for (let at = 1; at < profile.length; at++) energy += (profile[at]! - profile[at - 1]!) ** 2;
  return energy;
}
