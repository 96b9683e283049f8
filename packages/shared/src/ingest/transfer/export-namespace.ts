import { createHash } from 'node:crypto';
import { MemoryError } from '../../contracts/errors.ts';
import type { ArchivedDocument, ArchiveEnd, ArchiveHeader } from '../../contracts/model/archive.ts';
import type { Scope } from '../../contracts/model/ids.ts';
import type { ArchiveEntry } from '../../ports/archive.ts';
import type { DocumentRecord } from '../../ports/ledger.ts';
import type { IngestDeps } from '../deps.ts';
import { readOcrPages } from '../ocr.ts';
import { extractionOf } from '../plain-text/extraction-of.ts';
import {
  encodeJson,
  readManifest,
  readOriginal,
  readVectors,
  type StoredOriginal,
  vectorBatchSize,
} from '../stored/artifacts.ts';
import type { VersionRef } from '../stored/blob-keys.ts';
import { readEmbedded } from '../stored/embedded-chunks.ts';
import { archiveFiles, endName, folderOf, headerName, sumLine } from './archive-layout.ts';
import { storedTokens } from './archived-tokens.ts';

type ExportDeps = Pick<IngestDeps, 'blobs' | 'ledger' | 'clock' | 'logger'>;

/** Documents that the ledger is asked for at once. */
const pageSize = 100;

/**
 * The files of a namespace's archive, in order: of every document that has an active version that version, with its
 * title and metadata as they are now. One document is held at a time, without its original. What is committed or
 * deleted meanwhile may be in it or not; each document in it is whole.
 * @throws MemoryError `internal` where an artifact of an active version is missing: the archive has no end then
 */
export async function* exportNamespace(
  deps: ExportDeps,
  scope: Scope,
  embeddingModel: string,
): AsyncGenerator<ArchiveEntry> {
  const header: ArchiveHeader = {
    format: 'semantic-memory-namespace',
    schemaVersion: 1,
    namespace: scope.namespace,
    embeddingModel,
    exportedAt: new Date(deps.clock.now()).toISOString(),
  };
  yield jsonEntry(headerName, header);
  const sums = createHash('sha256');
  let documents = 0;
  for await (const { documentId } of documentsOf(deps, scope)) {
    const files = await filesOf(deps, scope, documentId, embeddingModel);
    if (!files) continue;
    documents += 1;
    const folder = folderOf(documents);
    let lines = '';
    try {
      for (const file of files.entries) {
        const hash = createHash('sha256');
        yield { ...file, name: folder + file.name, body: hashed(file.body, hash) };
        lines += sumLine(hash.digest('hex'), file.name);
      }
    } finally {
      await files.close();
    }
    sums.update(lines);
    yield bytesEntry(folder + archiveFiles.sums, new TextEncoder().encode(lines));
  }
  const end: ArchiveEnd = { schemaVersion: 1, documents, sha256: sums.digest('hex') };
  yield jsonEntry(endName, end);
}

async function* documentsOf({ ledger }: ExportDeps, { tenant, namespace }: Scope): AsyncGenerator<DocumentRecord> {
  let cursor: string | undefined;
  do {
    const page = await ledger.listDocuments(tenant, { namespace, state: 'active', limit: pageSize, cursor });
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}

interface DocumentFiles {
  readonly entries: readonly ArchiveEntry[];
  /** Lets go of what is open, read or not. */
  close(): Promise<void>;
}

/** All of a document's files, before the first is written. Undefined where it was deleted meanwhile. */
async function filesOf(
  deps: ExportDeps,
  { tenant, namespace }: Scope,
  documentId: string,
  model: string,
): Promise<DocumentFiles | undefined> {
  const read = async () => {
    const record = await deps.ledger.getDocument(tenant, documentId);
    if (record?.namespace !== namespace || record.activeVersion === 0) return undefined;
    return readFiles(deps, record, model);
  };
  try {
    return await read();
  } catch (error) {
    // Deleted or replaced while it was read: what is true now is asked once more, and then believed.
    deps.logger.debug('a document changed while it was exported', { documentId, error });
    return read();
  }
}

async function readFiles({ blobs }: ExportDeps, record: DocumentRecord, model: string): Promise<DocumentFiles> {
  const { tenant, documentId, activeVersion: version } = record;
  const ref: VersionRef = { tenant, documentId, version };
  const manifest = await readManifest(blobs, ref);
  const extraction = need(await extractionOf(blobs, ref, manifest), ref, 'extraction');
  const pages = await readOcrPages(blobs, ref, extraction);
  const { ref: place, set } = need(await readEmbedded(blobs, ref, model), ref, `chunks with vectors of ${model}`);
  const vectors: ArchiveEntry[] = [];
  for (let from = 0; from < set.chunks.length; from += vectorBatchSize) {
    const count = Math.min(vectorBatchSize, set.chunks.length - from);
    const batch = need(await readVectors(blobs, place, from, { count, dimension: set.dimension }), ref, 'vectors');
    vectors.push(bytesEntry(archiveFiles.vectors(from), packed(batch, set.dimension)));
  }
  const tokens = await storedTokens(blobs, place, set);
  const original = need(await readOriginal(blobs, ref, manifest), ref, 'original');
  const content = need(await blobs.getStream(original.key), ref, 'original');
  const { tenant: _tenant, callbackUrl: _url, parentJobId: _job, batchId: _batch, imported: _from, ...kept } = manifest;
  return {
    entries: [
      jsonEntry(archiveFiles.document, describe(record, original, set)),
      jsonEntry(archiveFiles.manifest, kept),
      jsonEntry(archiveFiles.extraction, extraction),
      ...[...pages.values()].map((page) => jsonEntry(archiveFiles.ocrPage(page.number), page)),
      jsonEntry(archiveFiles.chunks, set),
      ...vectors,
      ...(tokens ? [{ name: archiveFiles.tokens, bytes: tokens.bytes, body: tokens.stream }] : []),
      { name: archiveFiles.original, bytes: content.bytes, body: content.stream },
    ],
    close: async () => {
      for (const { stream } of tokens ? [tokens, content] : [content]) await stream[Symbol.asyncIterator]().return?.();
    },
  };
}

function describe(
  { documentId, activeVersion: version, title, metadata, createdAt }: DocumentRecord,
  { bytes, sha256, mediaType, filename }: StoredOriginal,
  set: { readonly chunks: readonly unknown[]; readonly dimension: number },
): ArchivedDocument {
  return {
    schemaVersion: 1,
    documentId,
    version,
    title,
    metadata,
    createdAt,
    original: { bytes, sha256, ...(mediaType ? { mediaType } : {}), ...(filename ? { filename } : {}) },
    chunks: set.chunks.length,
    dimension: set.dimension,
  };
}

function need<Artifact>(artifact: Artifact | undefined, { documentId, version }: VersionRef, what: string): Artifact {
  if (artifact === undefined) throw new MemoryError('internal', `Version ${version} of ${documentId} has no ${what}.`);
  return artifact;
}

function packed(vectors: readonly Float32Array[], dimension: number): Uint8Array {
  const all = new Float32Array(dimension * vectors.length);
  vectors.forEach((vector, row) => {
    all.set(vector, row * dimension);
  });
  return new Uint8Array(all.buffer);
}

const jsonEntry = (name: string, value: unknown): ArchiveEntry => bytesEntry(name, encodeJson(value));

const bytesEntry = (name: string, bytes: Uint8Array): ArchiveEntry => ({
  name,
  bytes: bytes.byteLength,
  body: (async function* () {
    yield bytes;
  })(),
});

async function* hashed(
  body: AsyncIterable<Uint8Array>,
  hash: { update(piece: Uint8Array): unknown },
): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    hash.update(piece);
    yield piece;
  }
}
