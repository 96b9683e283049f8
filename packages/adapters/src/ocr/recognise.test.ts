import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import sharp from 'sharp';
import Tesseract from 'tesseract.js';
import { fromSharp, type GreyImage } from './grey-image.ts';
import { defaultDataDirectory, recognise, startTesseract, type TesseractWorker } from './recognise.ts';

// The engine starts slowly on a busy machine.
jest.setTimeout(60_000);

const { AUTO, SINGLE_BLOCK } = Tesseract.PSM;

describe('with the engine', () => {
  const page = fileURLToPath(new URL('../../testdata/ocr/page.png', import.meta.url));
  const firstLine = 'The lighthouse keeper counts the ships each night.';
  let engine: TesseractWorker;

  beforeAll(async () => {
    engine = await startTesseract(defaultDataDirectory());
  });
  afterAll(() => engine.terminate());

  /** The first line or lines of the page, turned by so much. */
  async function strip(top: number, height: number, degrees = 0): Promise<GreyImage> {
    const cut = await sharp(page).extract({ left: 60, top, width: 720, height }).png().toBuffer();
    return fromSharp(sharp(cut).rotate(degrees));
  }

  test('a strip of a page is read, with its confidence', async () => {
    const { text, confidence } = await recognise(engine, await strip(30, 60), 60_000);
    expect(text).toBe(firstLine);
    expect(confidence).toBeGreaterThan(88);
  });

  test('a strip that is no higher than its letters is read', async () => {
    expect((await recognise(engine, await strip(56, 30), 60_000)).text).toBe(firstLine);
  });

  test('a page that stands on its head is turned', async () => {
    expect((await recognise(engine, await strip(40, 80, 180), 60_000)).text).toContain(firstLine);
  });

  test('what is no picture is refused, and the engine goes on', async () => {
    await expect(engine.recognize(Buffer.from('no picture'))).rejects.toContain('read image');
    expect((await recognise(engine, await strip(30, 60), 60_000)).text).toBe(firstLine);
  });

  test('the language data are where the package has them', async () => {
    expect((await readFile(`${defaultDataDirectory()}/eng.traineddata.gz`)).byteLength).toBeGreaterThan(1e6);
  });
});

test('an engine whose data are not there says which', async () => {
  await expect(startTesseract('/nowhere')).rejects.toThrow('/nowhere/eng.traineddata');
});

test('an engine that could not be started leaves no thread that would keep its process alive', async () => {
  const module = new URL('./recognise.ts', import.meta.url).href;
  const script = `import { startTesseract } from '${module}';
    await startTesseract('/nowhere').catch(() => console.log('failed'));`;
  // Ends by itself, or is killed.
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=development', '--input-type=module', '--eval', script],
    { timeout: 50_000, killSignal: 'SIGKILL' },
  );
  expect(stdout).toContain('failed');
});

describe('where the engine is unsure', () => {
  interface Pass {
    readonly text: string;
    readonly confidence: number;
    readonly glyphHeight?: number;
  }

  /** Ruled lines, as text looks from afar. */
  const picture: GreyImage = {
    pixels: Uint8Array.from({ length: 120 * 80 }, (_, at) => (Math.floor(at / 120) % 20 < 3 && at % 12 < 8 ? 0 : 255)),
    width: 120,
    height: 80,
  };

  /** An engine that gives these readings one after the other, and notes how it was asked. */
  function engineOf(passes: readonly Pass[]) {
    const asked: { mode: unknown; width: number }[] = [];
    let mode: unknown;
    const engine = {
      setParameters: async (parameters: { tessedit_pageseg_mode: unknown }) => {
        mode = parameters.tessedit_pageseg_mode;
      },
      recognize: async (pgm: Buffer) => {
        const { text, confidence, glyphHeight = 24 } = passes[asked.length]!;
        asked.push({ mode, width: Number(/^P5\n(\d+) /.exec(pgm.toString('latin1', 0, 20))?.[1]) });
        const symbols = Array.from(text, () => ({ bbox: { y0: 10, y1: 10 + glyphHeight } }));
        const words = [{ text, confidence, symbols }];
        return { data: { blocks: [{ paragraphs: [{ lines: [{ text: `${text}\n`, words }] }] }] } };
      },
    };
    return { engine: engine as unknown as TesseractWorker, asked };
  }

  test('a sure reading is enough', async () => {
    const { engine, asked } = engineOf([{ text: 'tide', confidence: 95 }]);
    expect(await recognise(engine, picture, 60_000)).toEqual({ text: 'tide', confidence: 95 });
    expect(asked).toEqual([{ mode: AUTO, width: 120 }]);
  });

  test('an unsure page is read upside down, which counts where it is surer', async () => {
    const { engine, asked } = engineOf([
      { text: 'apit', confidence: 40 },
      { text: 'tide', confidence: 95 },
    ]);
    expect(await recognise(engine, picture, 60_000)).toEqual({ text: 'tide', confidence: 95 });
    expect(asked).toHaveLength(2);
  });

  test('small letters are enlarged, and of all readings the surest counts', async () => {
    const { engine, asked } = engineOf([
      { text: 'tibe', confidence: 50, glyphHeight: 12 },
      { text: 'apit', confidence: 40, glyphHeight: 12 },
      { text: 'tide', confidence: 85 },
      { text: 'ride', confidence: 70 },
    ]);
    expect(await recognise(engine, picture, 60_000)).toEqual({ text: 'tide', confidence: 85 });
    expect(asked).toEqual([
      { mode: AUTO, width: 120 },
      { mode: AUTO, width: 120 },
      { mode: AUTO, width: 240 },
      { mode: SINGLE_BLOCK, width: 240 },
    ]);
  });

  test('a fair reading is only enlarged, and stays where that is no better', async () => {
    const { engine, asked } = engineOf([
      { text: 'tide', confidence: 80, glyphHeight: 12 },
      { text: 'ride', confidence: 70 },
      { text: 'side', confidence: 60 },
    ]);
    expect(await recognise(engine, picture, 60_000)).toEqual({ text: 'tide', confidence: 80 });
    expect(asked.map(({ width }) => width)).toEqual([120, 240, 240]);
  });

  test('without time for more the first reading counts', async () => {
    const { engine, asked } = engineOf([{ text: 'tibe', confidence: 50 }]);
    expect(await recognise(engine, picture, 0)).toEqual({ text: 'tibe', confidence: 50 });
    expect(asked).toHaveLength(1);
  });

  test('a page of which nothing is read has no confidence, and is not enlarged', async () => {
    const nothing = { text: ' ', confidence: 95 };
    const { engine, asked } = engineOf([nothing, nothing]);
    expect(await recognise(engine, picture, 60_000)).toEqual({ text: '', confidence: 0 });
    expect(asked).toHaveLength(2);
  });
});
