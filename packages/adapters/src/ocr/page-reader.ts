import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { OcrPage } from '@semantic-memory/shared/contracts/model/extraction';
import { normaliseText } from '@semantic-memory/shared/ingest/plain-text/normalise-text';
import sharp from 'sharp';
import type { JobHandler } from '../child/serve-jobs.ts';
import { loadPageImage } from './page-image.ts';
import { recognise, type TesseractWorker } from './recognise.ts';

export interface OcrJob {
  readonly path: string;
  readonly mediaType: string;
  readonly page: number;
  readonly maxImagePixels: number;
  readonly dataDirectory: string;
  readonly pageMs: number;
}

/**
 * What an OCR child does: it reads pages, one in each job. The engine is started for the first page that is not blank.
 * @param startEngine given the folder of its language data
 */
export function pageReader(startEngine: (dataDirectory: string) => Promise<TesseractWorker>): JobHandler {
  // One page at a time, one core: nothing to share, nothing worth keeping.
  sharp.concurrency(1);
  sharp.cache(false);
  let starting: Promise<TesseractWorker> | undefined;

  /** @throws MemoryError `dependency_unavailable`: no page is to blame for a missing engine. */
  async function engine(dataDirectory: string): Promise<TesseractWorker> {
    starting ??= startEngine(dataDirectory);
    try {
      return await starting;
    } catch (error) {
      starting = undefined;
      throw new MemoryError('dependency_unavailable', 'The OCR engine could not be started.', { cause: error });
    }
  }

  return async (message): Promise<OcrPage> => {
    const job = message as OcrJob;
    const startedAt = performance.now();
    const image = await loadPageImage(job.path, job.mediaType, job.page, job.maxImagePixels);
    if (!image) return { schemaVersion: 1, number: job.page, text: '', confidence: 0 };
    const { text, confidence } = await recognise(
      await engine(job.dataDirectory),
      image,
      job.pageMs * 0.9 - (performance.now() - startedAt),
    );
    return { schemaVersion: 1, number: job.page, text: normaliseText(text), confidence };
  };
}
