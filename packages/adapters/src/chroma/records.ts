import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { VectorHit, VectorQuery, VectorRecord } from '@semantic-memory/shared/ports/vector-index';
import type { Metadata, Where } from 'chromadb';
import { dithered } from './dither.ts';

/** What a record carries beside vector and text: nothing that can change while the version lives. */
interface RecordMetadata extends Metadata {
  documentId: string;
  /** `documentId@version`: one value to leave a version out by. */
  dv: string;
  index: number;
  page?: number;
  /** A JSON list: Chroma refuses empty lists. */
  headings: string;
  start: number;
  end: number;
}

export const documentVersion = (documentId: string, version: number) => `${documentId}@${version}`;

export function toChroma(records: readonly VectorRecord[]) {
  return {
    ids: records.map((record) => record.chunkId),
    // The client packs them itself and only needs to iterate; the cast goes when it accepts typed arrays.
    embeddings: records.map((record) => dithered(record.vector, record.chunkId) as unknown as number[]),
    // A lone surrogate cannot be written in UTF-8; the replacement is as long, so spans stay right.
    documents: records.map((record) => record.text.toWellFormed()),
    metadatas: records.map(toMetadata),
  };
}

function toMetadata(record: VectorRecord): RecordMetadata {
  return {
    documentId: record.documentId,
    dv: documentVersion(record.documentId, record.version),
    index: record.index,
    ...(record.page === undefined ? {} : { page: record.page }),
    headings: JSON.stringify(record.headings),
    start: record.start,
    end: record.end,
  };
}

/** @param distance cosine distance, 1 − cosine */
export function toHit(row: {
  id: string;
  document?: string | null | undefined;
  metadata?: Metadata | null | undefined;
  distance?: number | null | undefined;
}): VectorHit {
  const { id, document, distance } = row;
  const metadata = row.metadata as RecordMetadata | null | undefined;
  if (!metadata || typeof document !== 'string' || typeof distance !== 'number') {
    throw new MemoryError('internal', 'The index holds a record that is not whole.', { details: { chunkId: id } });
  }
  return {
    chunkId: id,
    documentId: metadata.documentId,
    version: Number(metadata.dv.slice(metadata.dv.lastIndexOf('@') + 1)),
    index: metadata.index,
    ...(typeof metadata.page === 'number' ? { page: metadata.page } : {}),
    headings: JSON.parse(metadata.headings),
    start: metadata.start,
    end: metadata.end,
    text: document,
    similarity: 1 - distance,
  };
}

/** The filter of a query; undefined where everything may be found. */
export function whereOf({ documentIds, excludeVersions }: VectorQuery): Where | undefined {
  const only = documentIds && { documentId: { $in: [...documentIds] } };
  const not = excludeVersions && excludeVersions.length > 0 ? { dv: { $nin: [...excludeVersions] } } : undefined;
  return only && not ? { $and: [only, not] } : (only ?? not);
}

export const whereDocument = (documentId: string, version: number | undefined): Where =>
  version === undefined ? { documentId } : { dv: documentVersion(documentId, version) };
