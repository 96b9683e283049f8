import { setImmediate as otherWork } from 'node:timers/promises';
import type { DryRun } from '../../contracts/model/dry-run.ts';
import type { Extraction } from '../../contracts/model/extraction.ts';
import type { JobWarning } from '../../contracts/model/job.ts';
import type { Tokenizer } from '../../ports/embedder.ts';
import { assembleText } from '../chunk/assemble-text.ts';
import { chunkDocumentInTurns } from '../chunk/chunk-document.ts';

/** What the steps of one worker a tier get done. */
export interface Speeds {
  readonly embeddedTokensPerSecond: number;
  readonly ocrPagesPerSecond: number;
  /** Undefined where nobody has said what the endpoint asks for. */
  readonly usdPerMillionTokens: number | undefined;
}

/** A printed page of running text has some 300 to 500 words, and English 1.3 tokens a word. */
const tokensOfAPage = 500;
/** So many are counted before anything else gets its turn: some 20 ms. */
const chunksInARow = 100;
/** Chunks have about 200 tokens; with overlap and headings some 230 of a text are embedded for each. */
const tokensOfAChunk = 230;

/**
 * What would happen to a document that was parsed. Pages for OCR are not read: their tokens are estimated.
 * @param parseSeconds how long it took
 */
export async function estimate(
  extraction: Extraction,
  {
    title,
    parseSeconds,
    tokenizer,
    speeds,
    signal,
  }: {
    readonly title: string;
    readonly parseSeconds: number;
    readonly tokenizer: Tokenizer;
    readonly speeds: Speeds;
    readonly signal: AbortSignal;
  },
): Promise<DryRun> {
  const ocrPages = extraction.pages.filter((page) => page.needsOcr).length;
  const text = assembleText(extraction, new Map());
  // Whose chunks they would be changes nothing but their ids.
  const names = { tenant: '', documentId: '', version: 1, model: '' };
  const input = { ...names, text, title, tokenizer };
  const chunks = /\S/.test(text.text) ? await chunkDocumentInTurns(input, signal) : [];
  let tokens = ocrPages * tokensOfAPage;
  for (const [at, { embedText }] of chunks.entries()) {
    if (at % chunksInARow === 0) await otherWork();
    tokens += tokenizer.tokenize(embedText).length;
  }
  const seconds = parseSeconds + ocrPages / speeds.ocrPagesPerSecond + tokens / speeds.embeddedTokensPerSecond;
  return {
    mediaType: extraction.mediaType,
    pages: extraction.pages.length,
    ocrPages,
    chunks: chunks.length + Math.ceil((ocrPages * tokensOfAPage) / tokensOfAChunk),
    tokens,
    estimatedSeconds: Math.round(seconds * 10) / 10,
    estimatedCostUsd: roundedUsd((tokens * (speeds.usdPerMillionTokens ?? 0)) / 1e6),
    warnings: [...extraction.warnings, ...unsure(ocrPages, speeds)],
  };
}

function unsure(ocrPages: number, { usdPerMillionTokens }: Speeds): JobWarning[] {
  const warnings: JobWarning[] = [];
  if (ocrPages > 0) {
    const pages = ocrPages === 1 ? '1 page holds' : `${ocrPages} pages hold`;
    warnings.push({
      code: 'ocr_estimated',
      message: `${pages} no text and would be read by OCR; ${tokensOfAPage} tokens a page are assumed.`,
    });
  }
  if (usdPerMillionTokens === undefined) {
    warnings.push({
      code: 'price_unknown',
      message: 'What the embedding endpoint asks for is not known here (EMBEDDING_USD_PER_MILLION_TOKENS).',
    });
  }
  return warnings;
}

/** A hundredth of a cent is as near as an estimate comes; of less the first two digits. */
const roundedUsd = (usd: number): number => Number(usd >= 0.01 ? usd.toFixed(4) : usd.toPrecision(2));
