import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { OcrPage } from '@semantic-memory/shared/contracts/model/extraction';
import type { OcrEngine } from '@semantic-memory/shared/ports/ocr';
import sharp from 'sharp';
import { makePdf, pageOfLines, type Scan } from '../parse/testing/make-pdf.ts';
import { createOcrEngine } from './ocr-engine.ts';

// Children start slowly on a busy machine.
jest.setTimeout(60_000);

const limits = { maxImagePixels: 5e6, pageMs: 60_000 };
const never = new AbortController().signal;
let directory: string;
let engine: OcrEngine;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ocr-test-'));
  engine = createOcrEngine({ processes: 2 });
});

afterAll(async () => {
  await engine.close();
  await rm(directory, { recursive: true, force: true });
});

const fixturePath = (name: string) => fileURLToPath(new URL(`../../testdata/ocr/${name}`, import.meta.url));

async function collect(pages: AsyncIterable<OcrPage>): Promise<OcrPage[]> {
  const all: OcrPage[] = [];
  for await (const page of pages) all.push(page);
  return all.sort((one, other) => one.number - other.number);
}

async function written(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, bytes);
  return path;
}

const words = (text: string) => text.toLowerCase().match(/[a-z]+/g) ?? [];

test.each(['page.png', 'page-on-its-side.png', 'page-in-shadow.jpg'])('%s is read', async (name) => {
  const mediaType = name.endsWith('png') ? 'image/png' : 'image/jpeg';
  const [page] = await collect(
    engine.read({ tenant: 't', path: fixturePath(name), mediaType, pages: [1], limits }, never),
  );
  expect(page).toMatchObject({ schemaVersion: 1, number: 1 });
  expect(page?.failure).toBeUndefined();
  expect(words(page!.text)).toEqual(words(await readFile(fixturePath('page.txt'), 'utf8')));
  expect(page!.confidence).toBeGreaterThan(80);
  // Lines and paragraphs stay apart.
  expect(page!.text).toMatch(/mail boat\.\n\nWhen fog/);
});

test('of a PDF the pages asked for are read, and a blank one is empty without a failure', async () => {
  const bytes = await readFile(fixturePath('scanned-letter.jpg'));
  const scan: Scan = { bytes, filter: 'DCTDecode', width: 850, height: 1100 };
  const path = await written('mixed.pdf', makePdf([pageOfLines(['Not asked for.']), scan, { lines: [] }]));
  const pages = await collect(
    engine.read({ tenant: 't', path, mediaType: 'application/pdf', pages: [2, 3], limits }, never),
  );
  expect(pages.map(({ number, failure }) => [number, failure])).toEqual([
    [2, undefined],
    [3, undefined],
  ]);
  expect(pages[0]!.text).toContain('The lighthouse keeper counts the ships each night.');
  expect(pages[1]!.text).toBe('');
});

async function readScan(scan: Scan): Promise<OcrPage | undefined> {
  const path = await written('scan.pdf', makePdf([scan]));
  const [page] = await collect(
    engine.read({ tenant: 't', path, mediaType: 'application/pdf', pages: [1], limits }, never),
  );
  return page;
}

test.each([
  ['JPXDecode', 'page.jp2'],
  ['CCITTFaxDecode', 'page.g4'],
  ['JBIG2Decode', 'page.jb2'],
] as const)('a scan compressed with %s is read', async (filter, name) => {
  const page = await readScan({ bytes: await readFile(fixturePath(name)), filter, width: 900, height: 300 });
  expect(page?.failure).toBeUndefined();
  expect(words(page!.text)).toEqual(words(await readFile(fixturePath('page.txt'), 'utf8')));
});

test.each(['DCTDecode', 'JPXDecode', 'JBIG2Decode'] as const)(
  'a page whose picture cannot be drawn is a failure, not an empty page (%s)',
  async (filter) => {
    const page = await readScan({ bytes: Buffer.alloc(3000, 0x5a), filter, width: 850, height: 1100 });
    expect(page).toMatchObject({ text: '', failure: expect.stringContaining('could not be drawn') });
  },
);

test('the pages of a TIFF are read one by one, and one beyond the limit of pixels is refused', async () => {
  const first = sharp(fixturePath('page.png')).extract({ left: 0, top: 0, width: 900, height: 150 });
  const second = sharp(fixturePath('page.png')).extract({ left: 0, top: 150, width: 900, height: 150 });
  const both = await Promise.all([first.raw().toBuffer(), second.raw().toBuffer()]);
  const channels = (await first.raw().toBuffer({ resolveWithObject: true })).info.channels;
  const stacked = sharp(Buffer.concat(both), { raw: { width: 900, height: 300, channels, pageHeight: 150 } });
  const path = await written('pages.tiff', await stacked.tiff().toBuffer());
  const pages = await collect(
    engine.read({ tenant: 't', path, mediaType: 'image/tiff', pages: [1, 2], limits }, never),
  );
  expect(words(pages[0]!.text)).toContain('lighthouse');
  expect(words(pages[1]!.text)).toContain('horn');
  const tight = { ...limits, maxImagePixels: 1000 };
  const [refused] = await collect(
    engine.read({ tenant: 't', path, mediaType: 'image/tiff', pages: [1], limits: tight }, never),
  );
  expect(refused!.failure).toEqual(expect.any(String));
});

test('a page that hangs, kills its process or throws carries a failure, and the others go on', async () => {
  const childEntry = new URL('./testing/misbehaving-child.ts', import.meta.url);
  const misbehaving = createOcrEngine({ processes: 2, childEntry });
  try {
    const input = {
      tenant: 't',
      path: '/nowhere',
      mediaType: 'image/png',
      pages: [1, 2, 3, 4, 5],
      limits: { ...limits, pageMs: 1500 },
    };
    const pages = await collect(misbehaving.read(input, never));
    expect(pages.map(({ number, text }) => [number, text])).toEqual([
      [1, 'page 1'],
      [2, ''],
      [3, ''],
      [4, ''],
      [5, 'page 5'],
    ]);
    expect(pages[1]!.failure).toContain('too long');
    expect(pages[2]!.failure).toContain('SIGABRT');
    expect(pages[3]!.failure).toBe('The page could not be drawn or read.');
  } finally {
    await misbehaving.close();
  }
});

test('an engine that cannot be started is a fault of ours, not of the page', async () => {
  const withoutData = createOcrEngine({ processes: 1, dataDir: directory });
  const withoutModule = createOcrEngine({
    processes: 1,
    childEntry: new URL('./testing/nothing-there.ts', import.meta.url),
  });
  const input = { tenant: 't', path: fixturePath('page.png'), mediaType: 'image/png', pages: [1], limits };
  try {
    await expect(collect(withoutData.read(input, never))).rejects.toMatchObject({ code: 'dependency_unavailable' });
    await expect(collect(withoutModule.read(input, never))).rejects.toMatchObject({ code: 'internal' });
  } finally {
    await withoutData.close();
    await withoutModule.close();
  }
});

test('an abort ends the reading within two seconds', async () => {
  const childEntry = new URL('./testing/misbehaving-child.ts', import.meta.url);
  const misbehaving = createOcrEngine({ processes: 1, childEntry });
  try {
    const controller = new AbortController();
    const reason = new Error('cancelled by the test');
    const reading = collect(
      misbehaving.read(
        { tenant: 't', path: '/nowhere', mediaType: 'image/png', pages: [2], limits },
        controller.signal,
      ),
    );
    setTimeout(() => controller.abort(reason), 300);
    const startedAt = Date.now();
    await expect(reading).rejects.toBe(reason);
    expect(Date.now() - startedAt).toBeLessThan(2300);
  } finally {
    await misbehaving.close();
  }
});

test('a page that takes too much memory carries a failure that says so', async () => {
  const childEntry = new URL('./testing/misbehaving-child.ts', import.meta.url);
  const tight = createOcrEngine({ processes: 1, childEntry, maxRssBytes: 2 ** 20 });
  try {
    const input = { tenant: 't', path: '/nowhere', mediaType: 'image/png', pages: [2], limits };
    const [page] = await collect(tight.read(input, never));
    expect(page).toMatchObject({ number: 2, text: '', failure: expect.stringContaining('too much memory') });
  } finally {
    await tight.close();
  }
});
