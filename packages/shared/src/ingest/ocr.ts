import { MemoryError } from '../contracts/errors.ts';
import type { Extraction, OcrPage } from '../contracts/model/extraction.ts';
import type { JobWarning } from '../contracts/model/job.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import { othersGoFirst, type Step } from './step.ts';
import { encodeJson, readExtraction, readOcrPage, readOriginal } from './stored/artifacts.ts';
import { ocrPageKey, type VersionRef } from './stored/blob-keys.ts';

/** Reads the pages that have no text of their own: one artifact a page, so that a crash repeats only what was at work. */
export const ocrStep: Step = async (deps, context) => {
  const { payload, manifest } = context;
  const extraction = await readExtraction(deps.blobs, payload);
  const original = await readOriginal(deps.blobs, payload, manifest);
  if (!extraction || !original) throw new MemoryError('internal', 'The document was not parsed before OCR.');
  const wanted = extraction.pages.filter((page) => page.needsOcr).map((page) => page.number);
  const read = await readOcrPages(deps.blobs, payload, extraction);
  // A page that failed is read again when the job is.
  const missing = wanted.filter((number) => read.get(number)?.failure !== undefined || !read.has(number));
  let done = wanted.length - missing.length;
  await context.progress(done, wanted.length);
  if (missing.length > 0) {
    let makesWay = false;
    const file = await deps.blobs.localFile(original.key);
    try {
      const input = {
        path: file.path,
        mediaType: extraction.mediaType,
        tenant: payload.tenant,
        // Who makes way asks for no more pages, and keeps those that are being read.
        pages: takeUntil(missing, () => makesWay),
        limits: { maxImagePixels: deps.limits.maxImagePixels, pageMs: deps.limits.pageMs },
      };
      for await (const page of deps.ocr.read(input, context.signal)) {
        read.set(page.number, page);
        await deps.blobs.put(ocrPageKey(payload, page.number), encodeJson(page));
        done += 1;
        await context.progress(done, wanted.length);
        if (await context.checkpoint()) makesWay = true;
      }
    } finally {
      await file.dispose();
    }
    if (done < wanted.length) throw othersGoFirst();
  }
  return { warnings: unreadablePages(read) };
};

function* takeUntil(pages: readonly number[], isOver: () => boolean): Generator<number> {
  for (const page of pages) {
    if (isOver()) return;
    yield page;
  }
}

/** What OCR has read of a version so far, by page number. */
export async function readOcrPages(
  blobs: BlobStore,
  ref: VersionRef,
  extraction: Extraction,
): Promise<Map<number, OcrPage>> {
  const pages = new Map<number, OcrPage>();
  for (const { number, needsOcr } of extraction.pages) {
    const page = needsOcr ? await readOcrPage(blobs, ref, number) : undefined;
    if (page) pages.set(number, page);
  }
  return pages;
}

/** One warning for each page that could not be read: they make a job `partial`. */
export function unreadablePages(pages: ReadonlyMap<number, OcrPage>): JobWarning[] {
  return [...pages.values()].flatMap(({ number, failure }) =>
    failure === undefined ? [] : [{ code: 'page_unreadable', message: failure, page: number }],
  );
}
