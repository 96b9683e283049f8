import { fileURLToPath } from 'node:url';
import Tesseract from 'tesseract.js';
import { fromSharp, type GreyImage, toPgm, toSharp } from './grey-image.ts';
import { prepareImage, turned } from './prepare-image.ts';

/** What was read of a page. */
export interface Reading {
  readonly text: string;
  /** Mean confidence of the words, 0 to 100; 0 where there are none. */
  readonly confidence: number;
}

const turnBelowConfidence = 60;
const secondPassBelowConfidence = 88;
/** The height of letters that the model was trained on, about. */
const glyphHeightPx = 24;
const maxScale = 3;
/** How much longer an enlarged page may take than the first reading. */
const maxSlowdown = 4;
const maxScaledPixels = 24e6;

export type TesseractWorker = Tesseract.Worker;
type Page = Tesseract.Page;

/** The folder of the language data in its package. */
export function defaultDataDirectory(): string {
  return fileURLToPath(new URL('./4.0.0_best_int', import.meta.resolve('@tesseract.js-data/eng/package.json')));
}

/**
 * Loads the engine and its language data from disk. Nothing is fetched, nothing is written. Where that fails nothing is
 * left of it.
 * @throws what tesseract.js says where it cannot be loaded
 */
export async function startTesseract(dataDirectory: string): Promise<TesseractWorker> {
  const engine = await startThread(dataDirectory);
  try {
    // Not with its start, which would leave nobody a handle to end the thread by where the data cannot be loaded.
    await engine.reinitialize('eng', Tesseract.OEM.LSTM_ONLY);
    return engine;
  } catch (error) {
    await engine.terminate();
    throw new Error(String(error));
  }
}

/** The engine without a language. tesseract.js' own promise would stay open for ever where that fails. */
function startThread(dataDirectory: string): Promise<TesseractWorker> {
  return new Promise((resolve, reject) => {
    Tesseract.createWorker([], Tesseract.OEM.LSTM_ONLY, {
      langPath: dataDirectory,
      gzip: true,
      cacheMethod: 'none',
      errorHandler: (error: unknown) => reject(new Error(String(error))),
    }).then(resolve, reject);
  });
}

/**
 * Reads a page: once where that is enough, upside down and enlarged where the engine is unsure.
 * @param budgetMs The time for the page. A further reading is only begun where it will surely fit in.
 */
export async function recognise(worker: TesseractWorker, original: GreyImage, budgetMs: number): Promise<Reading> {
  const startedAt = performance.now();
  let image = await prepareImage(original);
  const preparedAt = performance.now();
  let best = await readOnce(worker, image, Tesseract.PSM.AUTO);
  const readingMs = performance.now() - preparedAt;
  const hasTime = () => performance.now() - startedAt + maxSlowdown * readingMs < budgetMs;
  if (best.confidence < turnBelowConfidence && hasTime()) {
    const upsideDown = await turned(image, 180);
    const reading = await readOnce(worker, upsideDown, Tesseract.PSM.AUTO);
    if (reading.confidence > best.confidence) [best, image] = [reading, upsideDown];
  }
  if (best.confidence < secondPassBelowConfidence && best.glyphHeight > 0) {
    const scaled = await scaledTo(image, glyphHeightPx / best.glyphHeight);
    for (const mode of [Tesseract.PSM.AUTO, Tesseract.PSM.SINGLE_BLOCK]) {
      if (!hasTime()) break;
      const reading = await readOnce(worker, scaled, mode);
      if (reading.confidence > best.confidence) best = reading;
    }
  }
  return { text: best.text, confidence: best.confidence };
}

async function readOnce(
  worker: TesseractWorker,
  image: GreyImage,
  mode: Tesseract.PSM,
): Promise<Reading & { glyphHeight: number }> {
  await worker.setParameters({ tessedit_pageseg_mode: mode });
  const { data } = await worker.recognize(toPgm(image), {}, { text: false, blocks: true });
  const words = wordsOf(data);
  const text = textOf(data);
  if (text === '' || words.length === 0) return { text: '', confidence: 0, glyphHeight: 0 };
  const confidence = words.reduce((sum, word) => sum + word.confidence, 0) / words.length;
  const heights = words.flatMap(({ symbols }) => symbols.map(({ bbox }) => bbox.y1 - bbox.y0)).sort((a, b) => a - b);
  return { text, confidence, glyphHeight: heights[heights.length >> 1]! };
}

function wordsOf(page: Page): Tesseract.Word[] {
  const paragraphs = page.blocks!.flatMap((block) => block.paragraphs);
  return paragraphs
    .flatMap(({ lines }) => lines.flatMap(({ words }) => words))
    .filter(({ text }) => text.trim() !== '');
}

/** Lines as they stand, paragraphs and blocks apart. */
function textOf(page: Page): string {
  return page
    .blocks!.flatMap((block) => block.paragraphs)
    .map(({ lines }) =>
      lines
        .map(({ text }) => text.trim())
        .filter(Boolean)
        .join('\n'),
    )
    .filter(Boolean)
    .join('\n\n');
}

function scaledTo(image: GreyImage, wanted: number): Promise<GreyImage> {
  const most = Math.sqrt(maxScaledPixels / (image.width * image.height));
  const scale = Math.min(Math.max(wanted, 0.5), maxScale, Math.max(1, most));
  return fromSharp(
    toSharp(image).resize(Math.round(image.width * scale), Math.round(image.height * scale), { fit: 'fill' }),
  );
}
