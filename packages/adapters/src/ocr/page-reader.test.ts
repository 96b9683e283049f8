import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import sharp, { type Sharp } from 'sharp';
import { type OcrJob, pageReader } from './page-reader.ts';
import { defaultDataDirectory, startTesseract, type TesseractWorker } from './recognise.ts';

// The engine starts slowly on a busy machine.
jest.setTimeout(60_000);

const page = fileURLToPath(new URL('../../testdata/ocr/page.png', import.meta.url));
let directory: string;
let engines: TesseractWorker[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'page-reader-test-'));
  engines = [];
});
afterEach(async () => {
  await Promise.all(engines.map((engine) => engine.terminate()));
  await rm(directory, { recursive: true, force: true });
});

/** The real engine, which ends with the test. */
async function start(dataDirectory: string): Promise<TesseractWorker> {
  const engine = await startTesseract(dataDirectory);
  engines.push(engine);
  return engine;
}

const jobFor = (path: string): OcrJob => ({
  path,
  mediaType: 'image/png',
  page: 1,
  maxImagePixels: 1e7,
  dataDirectory: defaultDataDirectory(),
  pageMs: 60_000,
});

async function written(name: string, picture: Sharp): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, await picture.png().toBuffer());
  return path;
}

const nothing = { schemaVersion: 1, number: 1, text: '', confidence: 0 };

test('pages are read by one engine, which a blank page does not need', async () => {
  const read = pageReader(start);
  const white = sharp({ create: { width: 90, height: 60, channels: 3, background: 'white' } });
  expect(await read(jobFor(await written('blank.png', white)), () => {})).toEqual(nothing);
  expect(engines).toHaveLength(0);
  const cut = sharp(page).extract({ left: 60, top: 30, width: 720, height: 60 });
  const strip = jobFor(await written('strip.png', cut));
  for (const _ of [1, 2]) {
    expect(await read(strip, () => {})).toEqual({
      schemaVersion: 1,
      number: 1,
      text: 'The lighthouse keeper counts the ships each night.',
      confidence: expect.any(Number),
    });
  }
  expect(engines).toHaveLength(1);
});

test('an engine that cannot be started is no fault of the page, and is started again for the next one', async () => {
  let attempts = 0;
  const cause = new Error('no language data');
  const read = pageReader(async () => {
    attempts += 1;
    throw cause;
  });
  for (const attempt of [1, 2]) {
    await expect(read(jobFor(page), () => {})).rejects.toMatchObject({ code: 'dependency_unavailable', cause });
    expect(attempts).toBe(attempt);
  }
});

test('a page that cannot be decoded is refused', async () => {
  const path = join(directory, 'broken.png');
  await writeFile(path, 'not a picture');
  await expect(pageReader(start)(jobFor(path), () => {})).rejects.toThrow('unsupported image format');
});
