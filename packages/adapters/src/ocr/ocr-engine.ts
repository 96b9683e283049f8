import { extname } from 'node:path';
import { toMemoryError } from '@semantic-memory/shared/contracts/errors';
import type { OcrPage } from '@semantic-memory/shared/contracts/model/extraction';
import { maxKills } from '@semantic-memory/shared/ingest/jobs/poison';
import type { OcrEngine, OcrInput } from '@semantic-memory/shared/ports/ocr';
import { ChildPool } from '../child/child-pool.ts';
import { ChildFailure, failureError } from '../child/pool-child.ts';
import type { OcrJob } from './page-reader.ts';
import { defaultDataDirectory } from './recognise.ts';

export interface OcrEngineOptions {
  /** Pages read at the same time, each in a process. */
  readonly processes: number;
  /** The folder that holds `eng.traineddata.gz`. Default: that of the installed package. */
  readonly dataDir?: string;
  /** A child that takes more memory than this is killed. */
  readonly maxRssBytes?: number;
  readonly childEntry?: URL;
}

const mebibyte = 2 ** 20;

/** An OcrEngine that reads pages with tesseract in child processes. Nothing is started before the first page. */
export function createOcrEngine(options: OcrEngineOptions): OcrEngine {
  const { processes } = options;
  const dataDirectory = options.dataDir ?? defaultDataDirectory();
  const pool = new ChildPool({
    // Source or compiled, as this module is.
    entry: options.childEntry ?? new URL(`./ocr-child${extname(import.meta.url)}`, import.meta.url),
    size: processes,
    // Memory that WebAssembly has taken never comes back while the process lives.
    jobsPerChild: 200,
    recycleRssBytes: 480 * mebibyte,
    maxRssBytes: options.maxRssBytes ?? 700 * mebibyte,
    heapMiB: 400,
    dataLimitGiB: 4,
    spare: false,
    idleMs: 60_000,
  });

  async function readPage(input: OcrInput, number: number, signal: AbortSignal): Promise<OcrPage> {
    const { path, mediaType, limits, tenant } = input;
    const { maxImagePixels, pageMs } = limits;
    const job: OcrJob = { path, mediaType, page: number, maxImagePixels, pageMs, dataDirectory };
    const jobLimits = { silenceMs: pageMs, overallMs: pageMs, signal, turnOf: tenant };
    for (let attempt = 1; ; attempt++) {
      try {
        return await pool.run<OcrPage>(job, jobLimits);
      } catch (error) {
        signal.throwIfAborted();
        if (isOurs(error)) throw error instanceof ChildFailure ? failureError(error, 'reading the page') : error;
        // A child may die of what the pages before have left in it, or be killed from outside: again, in a new one.
        const died = error instanceof ChildFailure && error.kind === 'died';
        if (died && attempt < maxKills) continue;
        return { schemaVersion: 1, number, text: '', confidence: 0, failure: failureOf(error) };
      }
    }
  }

  return {
    async *read(input, signal) {
      signal.throwIfAborted();
      const stop = new AbortController();
      const either = AbortSignal.any([signal, stop.signal]);
      const running = new Map<number, Promise<OcrPage>>();
      const wanted = input.pages[Symbol.iterator]();
      try {
        for (;;) {
          while (running.size < processes) {
            const { value: number, done } = wanted.next();
            if (done) break;
            running.set(number, readPage(input, number, either));
          }
          if (running.size === 0) return;
          const page = await Promise.race(running.values());
          running.delete(page.number);
          yield page;
        }
      } finally {
        // Left early: by an abort, or since the reader has had enough.
        stop.abort();
        await Promise.allSettled(running.values());
      }
    },
    close: () => pool.close(),
  };
}

/** Whether no page is to blame: the engine or its process could not be started. */
function isOurs(error: unknown): boolean {
  return error instanceof ChildFailure
    ? error.kind === 'unstartable'
    : toMemoryError(error).code === 'dependency_unavailable';
}

function failureOf(error: unknown): string {
  if (!(error instanceof ChildFailure)) {
    const { code, message } = toMemoryError(error);
    return code === 'internal' ? 'The page could not be drawn or read.' : message;
  }
  switch (error.kind) {
    case 'deadline':
      return `Reading the page took too long. ${error.message}`;
    case 'memory':
      return `Reading the page took too much memory. ${error.message}`;
    case 'died':
    case 'unstartable':
      return `Reading the page failed. ${error.message}`;
  }
}
