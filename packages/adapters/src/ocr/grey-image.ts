import sharp, { type Sharp } from 'sharp';

/** A picture in one channel: 0 is black, 255 white, rows from the top. */
export interface GreyImage {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** sharp's pipeline over a picture of ours. */
export function toSharp({ pixels, width, height }: GreyImage): Sharp {
  return sharp(pixels, { raw: { width, height, channels: 1 } });
}

export async function fromSharp(pipeline: Sharp): Promise<GreyImage> {
  const { data, info } = await pipeline.greyscale().raw().toBuffer({ resolveWithObject: true });
  return { pixels: data, width: info.width, height: info.height };
}

/** The value that half of the pixels are below. */
export function medianGrey({ pixels }: GreyImage): number {
  const counts = new Uint32Array(256);
  for (const value of pixels) counts[value]! += 1;
  let value = 0;
  for (let seen = counts[0]!; seen * 2 < pixels.length; seen += counts[value]!) value += 1;
  return value;
}

export function inverted(image: GreyImage): GreyImage {
  return { ...image, pixels: image.pixels.map((value) => 255 - value) };
}

/** Whether there is nothing to see on the page. */
export function isBlank({ pixels }: GreyImage): boolean {
  let least = 255;
  let most = 0;
  for (const value of pixels) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return most - least < 8;
}

/** A binary PGM file: what tesseract reads without anyone packing and unpacking it. It names no density. */
export function toPgm({ pixels, width, height }: GreyImage): Buffer {
  return Buffer.concat([Buffer.from(`P5\n${width} ${height}\n255\n`), pixels]);
}
