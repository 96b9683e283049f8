import { createCanvas } from '@napi-rs/canvas';
import sharp, { type Sharp } from 'sharp';
import { seededRandom } from './random.ts';
import { fontOf, wrap } from './typeset.ts';

export interface Sheet {
  /** Pixels. */
  width: number;
  height: number;
  margin: number;
  fontSize: number;
  /** The first is set in bold and larger. */
  paragraphs: readonly string[];
  paper?: string;
  ink?: string;
}

export interface Camera {
  seed: number;
  /** Degrees, clockwise. */
  tilt?: number;
  /** How far grey values stray, from 0 to 255. */
  noise?: number;
  /** How dark the darkest corner gets, from 0 to 1. */
  shadow?: number;
  gray?: boolean;
}

/** A sheet of paper with text on it, as a camera or a scanner sees it: tilted, noisy, and in a shadow. */
export async function photograph(sheet: Sheet, camera: Camera): Promise<Sharp> {
  const flat = sharp(drawSheet(sheet)).flatten();
  const tilted = await flat
    .rotate(camera.tilt ?? 0, { background: sheet.paper ?? '#f3f3f0' })
    .png()
    .toBuffer();
  const { data, info } = await sharp(tilted).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const random = seededRandom(camera.seed);
  for (let pixel = 0; pixel < data.length; pixel += info.channels) {
    const x = (pixel / info.channels) % info.width;
    const y = Math.floor(pixel / info.channels / info.width);
    // The sum of three even numbers is near enough to a bell curve.
    const stray = (random() + random() + random() - 1.5) * (camera.noise ?? 0);
    const light = 1 - (camera.shadow ?? 0) * (x / info.width) * (y / info.height);
    for (let channel = 0; channel < info.channels; channel += 1) {
      data[pixel + channel] = Math.max(0, Math.min(255, (data[pixel + channel] as number) * light + stray));
    }
  }
  const { width, height, channels } = info;
  const taken = sharp(data, { raw: { width, height, channels: channels as 3 } });
  return camera.gray ? taken.grayscale() : taken;
}

function drawSheet({ width, height, margin, fontSize, paragraphs, paper = '#f3f3f0', ink = '#161616' }: Sheet): Buffer {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  context.fillStyle = paper;
  context.fillRect(0, 0, width, height);
  context.fillStyle = ink;
  let y = margin;
  for (const [index, paragraph] of paragraphs.entries()) {
    const size = index === 0 ? Math.round(fontSize * 1.4) : fontSize;
    context.font = fontOf(size, index === 0);
    for (const line of wrap(paragraph, size, width - 2 * margin, index === 0)) {
      y += size * 1.4;
      if (y > height - margin) throw new RangeError(`The text does not fit on the sheet: ${line}`);
      context.fillText(line, margin, y);
    }
    y += fontSize * 0.8;
  }
  return canvas.toBuffer('image/png');
}
