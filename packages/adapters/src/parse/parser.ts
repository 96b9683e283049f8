import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { Extraction } from '@semantic-memory/shared/contracts/model/extraction';
import type { ParseInput, Parser } from '@semantic-memory/shared/ports/parser';
import { ChildPool } from '../child/child-pool.ts';
import { ChildFailure, failureError } from '../child/pool-child.ts';
import type { ParseJob, ParseReply } from './parse-job.ts';

export interface ChildParserOptions {
  /**
   * Documents parsed at the same time, of those with a child of their own and of the others each. Default: half the
   * cores, since embedding what they hold takes ten times as long.
   */
  readonly processes?: number;
  /** The longest that a parser may go without finishing a page. */
  readonly pageMs?: number;
  /** The longest for one document. */
  readonly documentMs?: number;
  /** A child that takes more memory than this is killed. */
  readonly maxRssBytes?: number;
  /** The module that children run. Default: all registered formats. */
  readonly childEntry?: URL;
}

const mebibyte = 2 ** 20;
// Below the queue's ten minutes for a parse job, so that the document is blamed, not the worker.
const defaultDocumentMs = 9 * 60_000;

/** A Parser that does its work in child processes. Nothing is started before the first document. */
export function createChildParser(options: ChildParserOptions): Parser {
  const processes = options.processes ?? Math.ceil(availableParallelism() / 2);
  // Source or compiled, as this module is.
  const entry = options.childEntry ?? new URL(`./parse-child${extname(import.meta.url)}`, import.meta.url);
  const maxRssBytes = options.maxRssBytes ?? 700 * mebibyte;
  const limits = { silenceMs: options.pageMs ?? 60_000, overallMs: options.documentMs ?? defaultDocumentMs };
  // A long document of one owner does not hold up another's: there is a place more for who has none.
  const common = { entry, maxRssBytes, heapMiB: 512, dataLimitGiB: 2 as const, idleMs: 30_000, spareSize: 1 };
  const pooled = new ChildPool({
    ...common,
    size: processes,
    jobsPerChild: 2000,
    recycleRssBytes: 250 * mebibyte,
    spare: false,
  });
  // Starting a child costs more than most PDFs do, so that one serves a tenant's next documents while all goes well.
  const own = new ChildPool({
    ...common,
    size: processes,
    jobsPerChild: 25,
    recycleRssBytes: 200 * mebibyte,
    spare: true,
    replaceFailed: true,
  });

  async function parse(given: ParseInput, signal: AbortSignal): Promise<Extraction> {
    const { waiting, ...input } = given;
    await checkSize(input);
    const jobLimits = { ...limits, signal, turnOf: given.tenant, waiting };
    try {
      const first: ParseJob = { input };
      const reply = await pooled.run<ParseReply>(first, jobLimits);
      if ('extraction' in reply) return reply.extraction;
      const second: ParseJob = { input, mediaType: reply.needsOwnChild };
      const parsed = await own.run<ParseReply>(second, jobLimits, given.tenant);
      return (parsed as { extraction: Extraction }).extraction;
    } catch (error) {
      throw error instanceof ChildFailure ? explain(error) : error;
    }
  }

  return {
    parse,
    async close() {
      await Promise.all([pooled.close(), own.close()]);
    },
  };
}

async function checkSize({ path, limits }: ParseInput): Promise<void> {
  const { size } = await stat(path);
  if (size === 0) {
    throw new MemoryError('empty_document', 'The document has no bytes.', { hint: 'Send the file again.' });
  }
  if (size > limits.maxBytes) {
    throw new MemoryError('too_large', `The document has ${size} bytes; at most ${limits.maxBytes} are allowed.`, {
      hint: 'Split it into smaller documents.',
    });
  }
}

function explain(failure: ChildFailure): MemoryError {
  if (failure.kind === 'died' || failure.kind === 'unstartable') return failureError(failure, 'parsing the document');
  const what = failure.kind === 'memory' ? 'memory' : 'time';
  return new MemoryError('limits_exceeded', `Parsing the document took too much ${what}. ${failure.message}`, {
    hint: 'Split the document, or save it in a simpler form.',
    cause: failure,
  });
}
