import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { jsonShapeFault } from '../../contracts/json-shape.ts';
import { ArchivedDocument, ArchivedManifest, ArchiveEnd, ArchiveHeader } from '../../contracts/model/archive.ts';
import { ChunkSet } from '../../contracts/model/chunk.ts';
import { Extraction, OcrPage } from '../../contracts/model/extraction.ts';
import type { ArchiveEntry } from '../../ports/archive.ts';
import { vectorBatchSize } from '../stored/artifacts.ts';
import { archiveFiles, badArchive, endName, folderOf, headerName, sha256Of, sumLine } from './archive-layout.ts';
import { checkTokens, maxTokenFileBytes } from './archived-tokens.ts';
import { checkChunks, floatsOf } from './check-chunks.ts';

/** The most that a file of the archive may hold: each is there as a whole while its document is read. */
export interface ArchiveLimits {
  /** Of an original. */
  readonly maxBytes: number;
  readonly maxPages: number;
  /** Of the text of a document. */
  readonly maxInflatedBytes: number;
}

/** A document of an archive, checked, with all its artifacts. */
export interface ArchivedVersion<Kept> {
  readonly document: ArchivedDocument;
  readonly manifest: z.infer<typeof ArchivedManifest>;
  readonly extraction: Extraction;
  readonly pages: readonly OcrPage[];
  readonly set: ChunkSet;
  /** The bytes of each file of vectors, in the order of the chunks. */
  readonly vectors: readonly Uint8Array[];
  /** The bytes of the file of token vectors, where there is one. */
  readonly tokens: Uint8Array | undefined;
  /** What `keep` made of the original. */
  readonly kept: Kept;
}

/** Takes an original's bytes, all of them or none, and says how many there were and their sha256. */
export type KeepOriginal<Kept> = (
  document: ArchivedDocument,
  body: AsyncIterable<Uint8Array>,
) => Promise<{ readonly sha256: string; readonly kept: Kept }>;

const kilobyte = 1024;
const megabyte = 1024 * kilobyte;

/** The first file of an archive. @throws MemoryError `unprocessable` */
export async function readArchiveHeader(entries: AsyncIterable<ArchiveEntry>): Promise<ArchiveHeader> {
  const files = createFiles(entries);
  try {
    return (await files.json(headerName, ArchiveHeader, 64 * kilobyte)).value;
  } finally {
    await files.close();
  }
}

/**
 * The documents of an archive, in order, each checked when it comes: names and their order, sizes before a byte is
 * read, checksums, and whether its parts fit each other. After the last one the archive is known to be whole.
 * @throws MemoryError `unprocessable` with the file that is wrong
 */
export async function* readArchivedDocuments<Kept>(
  entries: AsyncIterable<ArchiveEntry>,
  limits: ArchiveLimits,
  keep: KeepOriginal<Kept>,
): AsyncGenerator<ArchivedVersion<Kept>> {
  const files = createFiles(entries);
  try {
    const { value: header } = await files.json(headerName, ArchiveHeader, 64 * kilobyte);
    const sums = createHash('sha256');
    const ids = new Set<string>();
    while ((await files.nextName()) !== endName) {
      const folder = folderOf(ids.size + 1);
      const { version, lines } = await readDocument(files, folder, header, limits, keep);
      const { documentId } = version.document;
      if (ids.has(documentId)) throw badArchive(folder, `is of ${documentId}, which came before`);
      ids.add(documentId);
      sums.update(lines);
      yield version;
    }
    const { value: end } = await files.json(endName, ArchiveEnd, 64 * kilobyte);
    if (end.documents !== ids.size || end.sha256 !== sums.digest('hex'))
      throw badArchive(endName, 'does not fit the documents before it');
    if ((await files.nextName()) !== undefined) throw badArchive(endName, 'is not the last file');
  } finally {
    await files.close();
  }
}

async function readDocument<Kept>(
  files: Files,
  folder: string,
  header: ArchiveHeader,
  limits: ArchiveLimits,
  keep: KeepOriginal<Kept>,
): Promise<{ version: ArchivedVersion<Kept>; lines: string }> {
  let lines = '';
  const json = async <Schema extends z.ZodType>(name: string, schema: Schema, maxBytes: number) => {
    const { value, sha256 } = await files.json(folder + name, schema, maxBytes);
    lines += sumLine(sha256, name);
    return value;
  };
  const maxText = 2 * limits.maxInflatedBytes + megabyte;
  const document = await json(archiveFiles.document, ArchivedDocument, 16 * megabyte);
  const manifest = await json(archiveFiles.manifest, ArchivedManifest, 32 * megabyte);
  const extraction = await json(archiveFiles.extraction, Extraction, maxText);
  if (extraction.pages.length > limits.maxPages)
    throw badArchive(folder + archiveFiles.extraction, `has more than ${limits.maxPages} pages`);
  const pages: OcrPage[] = [];
  for (const { number, needsOcr } of extraction.pages) {
    const name = archiveFiles.ocrPage(number);
    if (!needsOcr || (await files.nextName()) !== folder + name) continue;
    const page = await json(name, OcrPage, maxText);
    if (page.number !== number) throw badArchive(folder + name, 'is of another page');
    pages.push(page);
  }
  const set = await json(archiveFiles.chunks, ChunkSet, 2 * maxText);
  checkChunks({ document, extraction, pages, set }, header.embeddingModel, folder + archiveFiles.chunks);
  const vectors: Uint8Array[] = [];
  for (let from = 0; from < set.chunks.length; from += vectorBatchSize) {
    const name = archiveFiles.vectors(from);
    const expected = Math.min(vectorBatchSize, set.chunks.length - from) * set.dimension * 4;
    const { bytes, sha256 } = await files.whole(folder + name, expected);
    if (bytes.byteLength !== expected || !floatsOf(bytes).every(Number.isFinite))
      throw badArchive(folder + name, 'does not hold a vector for each chunk');
    vectors.push(bytes);
    lines += sumLine(sha256, name);
  }
  let tokens: Uint8Array | undefined;
  if ((await files.nextName()) === folder + archiveFiles.tokens) {
    const file = await files.whole(folder + archiveFiles.tokens, maxTokenFileBytes);
    checkTokens(file.bytes, set, folder + archiveFiles.tokens);
    tokens = file.bytes;
    lines += sumLine(file.sha256, archiveFiles.tokens);
  }
  const { body, bytes } = await files.open(folder + archiveFiles.original, limits.maxBytes);
  const { sha256, kept } = await keep(document, body);
  if (bytes !== document.original.bytes || sha256 !== document.original.sha256)
    throw badArchive(folder + archiveFiles.original, 'is not the document that it says it is');
  lines += sumLine(sha256, archiveFiles.original);
  const sums = await files.whole(folder + archiveFiles.sums, lines.length);
  if (new TextDecoder().decode(sums.bytes) !== lines)
    throw badArchive(folder + archiveFiles.sums, 'does not fit the files beside it');
  return { version: { document, manifest, extraction, pages, set, vectors, tokens, kept }, lines };
}

/** Reads files by the names that they must have. */
interface Files {
  /** Undefined at the end of the archive. */
  nextName(): Promise<string | undefined>;
  open(name: string, maxBytes: number): Promise<ArchiveEntry>;
  whole(name: string, maxBytes: number): Promise<{ bytes: Uint8Array; sha256: string }>;
  json<Schema extends z.ZodType>(
    name: string,
    schema: Schema,
    maxBytes: number,
  ): Promise<{ value: z.infer<Schema>; sha256: string }>;
  close(): Promise<void>;
}

function createFiles(entries: AsyncIterable<ArchiveEntry>): Files {
  const iterator = entries[Symbol.asyncIterator]();
  let next: IteratorResult<ArchiveEntry, unknown> | undefined;
  const peek = async () => {
    next ??= await iterator.next();
    return next.done ? undefined : next.value;
  };
  const files: Files = {
    nextName: async () => (await peek())?.name,
    async open(name, maxBytes) {
      const entry = await peek();
      if (!entry) throw badArchive(name, 'is missing: the archive ends before it');
      if (entry.name !== name) {
        throw badArchive(name, `is missing: ${JSON.stringify(entry.name.slice(0, 100))} is in its place`);
      }
      if (entry.bytes > maxBytes) throw badArchive(name, `has more than ${maxBytes} bytes`);
      next = undefined;
      return entry;
    },
    async whole(name, maxBytes) {
      const { body, bytes: expected } = await files.open(name, maxBytes);
      const bytes = new Uint8Array(expected);
      let at = 0;
      for await (const piece of body) {
        bytes.set(piece, at);
        at += piece.byteLength;
      }
      return { bytes, sha256: sha256Of(bytes) };
    },
    async json(name, schema, maxBytes) {
      const { bytes, sha256 } = await files.whole(name, maxBytes);
      const fault = jsonShapeFault(bytes);
      if (fault !== undefined) throw badArchive(name, fault);
      const parsed = schema.safeParse(parseJson(bytes));
      if (parsed.error) {
        const [issue] = parsed.error.issues;
        throw badArchive(name, `is not as expected at ${issue?.path.join('.') || 'its root'}: ${issue?.message}`);
      }
      return { value: parsed.data, sha256 };
    },
    close: async () => {
      await iterator.return?.();
    },
  };
  return files;
}

/** Undefined, which no schema takes, where it is no JSON. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
