import { fromSharp, type GreyImage, toSharp } from './grey-image.ts';

const darkBelow = 100;
const lightAbove = 160;
const poolSide = 8;
const smoothingSide = 5;
/** Below this a background is not paper but ink, and dividing by it would only raise noise. */
const leastBackground = 60;

/** The share of pixels that are dark among eight light neighbours: pepper, which no printed page has much of. */
export function shareOfSpecks({ pixels, width, height }: GreyImage): number {
  let specks = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let at = y * width + 1, end = at + width - 2; at < end; at++) {
      if (pixels[at]! >= darkBelow) continue;
      const isAlone =
        pixels[at - 1]! > lightAbove &&
        pixels[at + 1]! > lightAbove &&
        pixels[at - width - 1]! > lightAbove &&
        pixels[at - width]! > lightAbove &&
        pixels[at - width + 1]! > lightAbove &&
        pixels[at + width - 1]! > lightAbove &&
        pixels[at + width]! > lightAbove &&
        pixels[at + width + 1]! > lightAbove;
      if (isAlone) specks += 1;
    }
  }
  return specks / (width * height);
}

/** A 3 × 3 median. It ruins the thin lines of tables: only for pages that are really speckled. */
export function despeckled(image: GreyImage): Promise<GreyImage> {
  return fromSharp(toSharp(image).median(3));
}

/**
 * The picture divided by its own paper: shadows and stains go, ink stays. The paper is the brightest pixel of each
 * 8 × 8 square, smoothed. A strip that is too thin for that stays as it is.
 */
export async function withoutBackground(image: GreyImage): Promise<GreyImage> {
  const { width, height, pixels } = image;
  const squares = maxPooled(image);
  if (Math.min(squares.width, squares.height) < smoothingSide) return image;
  const paper = await fromSharp(
    toSharp(await fromSharp(toSharp(squares).median(smoothingSide).blur(2))).resize(width, height, { fit: 'fill' }),
  );
  const divided = new Uint8Array(pixels.length);
  for (let at = 0; at < pixels.length; at++) {
    divided[at] = Math.min(255, Math.round((pixels[at]! * 255) / Math.max(leastBackground, paper.pixels[at]!)));
  }
  return { pixels: divided, width, height };
}

function maxPooled({ pixels, width, height }: GreyImage): GreyImage {
  const pooledWidth = Math.ceil(width / poolSide);
  const pooledHeight = Math.ceil(height / poolSide);
  const pooled = new Uint8Array(pooledWidth * pooledHeight);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / poolSide) * pooledWidth;
    for (let x = 0; x < width; x++) {
      const to = row + (x >> 3);
      const value = pixels[y * width + x]!;
      if (value > pooled[to]!) pooled[to] = value;
    }
  }
  return { pixels: pooled, width: pooledWidth, height: pooledHeight };
}
