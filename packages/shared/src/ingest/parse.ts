import { MemoryError } from '../contracts/errors.ts';
import type { Extraction } from '../contracts/model/extraction.ts';
import type { VersionFacts } from '../ports/ledger.ts';
import { takeForStep } from './jobs/step-quota.ts';
import { nameOf } from './new-manifest.ts';
import { othersGoFirst, type Step } from './step.ts';
import { encodeJson, readExtraction, readOriginal } from './stored/artifacts.ts';
import { extractionKey } from './stored/blob-keys.ts';

/** How often a document that waits for a parser looks whether others should go first. */
const lookEveryMs = 500;

/** UTF-16 code units of a text that is embedded within some tenths of a second: about a dozen chunks. */
const shortTextLength = 10_000;

/** Turns the original into text by page: the artifact `extraction`. */
export const parseStep: Step = async (deps, context) => {
  const { payload, manifest } = context;
  let extraction = await readExtraction(deps.blobs, payload);
  if (!extraction) {
    const original = await readOriginal(deps.blobs, payload, manifest);
    if (!original) throw new MemoryError('internal', 'The original was not fetched before it was to be parsed.');
    if (original.bytes === 0)
      throw new MemoryError('empty_document', 'The document has no bytes.', { hint: 'Send the file again.' });
    const file = await deps.blobs.localFile(original.key);
    const waiting = new AbortController();
    const look = setInterval(async () => {
      if (await context.makeWay()) waiting.abort(othersGoFirst());
    }, lookEveryMs);
    try {
      // How many there are shows when they are parsed.
      await takeForStep(deps, payload.tenant, { pages: 0 });
      const input = {
        tenant: payload.tenant,
        path: file.path,
        limits: deps.limits,
        // Parsing has no checkpoints, but a document that still waits for a process can make way.
        waiting: waiting.signal,
        ...(original.mediaType ? { declaredMediaType: original.mediaType } : {}),
        ...(original.filename ? { filename: original.filename } : {}),
      };
      extraction = await deps.parser.parse(input, context.signal);
    } finally {
      clearInterval(look);
      await file.dispose();
    }
    await deps.blobs.put(extractionKey(payload), encodeJson(extraction));
    await deps.quotas?.count(payload.tenant, { pages: extraction.pages.length });
  }
  const pages = extraction.pages.length;
  const ocrPages = extraction.pages.filter((page) => page.needsOcr).length;
  if (takesAWhile(extraction)) {
    const title = titleOf(extraction, manifest.title, nameOf(manifest));
    await deps.ledger.describeVersion(payload, payload.documentId, payload.version, { ...factsOf(extraction), title });
  }
  await context.progress(pages, pages);
  return { facts: { ocrPages }, warnings: extraction.warnings, nextTotal: ocrPages };
};

/** A document whose next steps take more than some tenths of a second is described now, the others when they are found. */
const takesAWhile = ({ pages }: Extraction): boolean =>
  pages.length > 1 ||
  pages.some((page) => page.needsOcr || page.text.length > shortTextLength || !/\S/.test(page.text));

/** What the ledger says of a version, as far as the extraction tells. */
export function factsOf({ mediaType, paged, pages }: Extraction): VersionFacts {
  return { mediaType, ...(paged ? { pages: pages.length } : {}) };
}

/** The caller's title, else the document's own, else its name. */
export function titleOf(extraction: Extraction, given: string | undefined, name: string): string {
  return (given ?? (extraction.title?.trim() || name)).slice(0, 1000);
}
