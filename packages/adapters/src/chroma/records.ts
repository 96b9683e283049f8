import type { RecordSelection, VectorHit, VectorQuery, VectorRecord } from '@semantic-memory/shared/ports/vector-index';
import type { Metadata, Where } from 'chromadb';
import { dithered } from './dither.ts';
import { forTheWire } from './packed-vector.ts';

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
  before?: string;
  /** Milliseconds since 1970; in history only. */
  activeFrom?: number;
  activeTo?: number;
}

export const documentVersion = (documentId: string, version: number) => `${documentId}@${version}`;

/** @param packs whether the server reads vectors as base64 */
export function toChroma(records: readonly VectorRecord[], packs: boolean) {
  return {
    ids: records.map((record) => record.chunkId),
    embeddings: records.map((record) => forTheWire(dithered(record.vector, record.chunkId), packs)),
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
    ...(record.before === undefined ? {} : { before: record.before }),
    ...(record.active ? { activeFrom: record.active.from, activeTo: record.active.to } : {}),
  };
}

/**
 * Undefined for a record that was removed after Chroma had found it and before it read what it holds.
 * @param distance cosine distance, 1 − cosine
 */
export function toHit(row: {
  id: string;
  document?: string | null | undefined;
  metadata?: Metadata | null | undefined;
  distance?: number | null | undefined;
}): VectorHit | undefined {
  const { id, document, distance } = row;
  const metadata = row.metadata as RecordMetadata | null | undefined;
  if (!metadata || typeof document !== 'string' || typeof distance !== 'number') return undefined;
  return {
    chunkId: id,
    documentId: metadata.documentId,
    version: versionOf(metadata).version,
    index: metadata.index,
    ...(typeof metadata.page === 'number' ? { page: metadata.page } : {}),
    headings: JSON.parse(metadata.headings),
    start: metadata.start,
    end: metadata.end,
    ...(typeof metadata.before === 'string' ? { before: metadata.before } : {}),
    text: document,
    similarity: 1 - distance,
  };
}

/** The filter of a query; undefined where everything may be found. */
export function whereOf({ documentIds, excludeVersions, activeAt }: VectorQuery): Where | undefined {
  return all([
    ...(documentIds ? [{ documentId: { $in: [...documentIds] } }] : []),
    ...(excludeVersions && excludeVersions.length > 0 ? [{ dv: { $nin: [...excludeVersions] } }] : []),
    ...(activeAt === undefined ? [] : [{ activeFrom: { $lte: activeAt } }, { activeTo: { $gt: activeAt } }]),
  ]);
}

/** The filter of a document's records; whether one is old enough only `isSelected` tells. */
export function whereDocument(documentId: string, { version, fromIndex }: RecordSelection): Where {
  const index = fromIndex === undefined ? [] : [{ index: { $gte: fromIndex } }];
  const whose = version === undefined ? { documentId } : { dv: documentVersion(documentId, version) };
  return all([whose, ...index]) ?? whose;
}

/** Whether a record that `whereDocument` found is meant: Chroma has the version only as a part of `dv`. */
export const isSelected = (metadata: Metadata | null | undefined, { upToVersion }: RecordSelection): boolean =>
  upToVersion === undefined || versionOf(metadata).version <= upToVersion;

/** Whose record it is. */
export function versionOf(metadata: Metadata | null | undefined): { documentId: string; version: number } {
  const dv = String(metadata?.dv);
  const at = dv.lastIndexOf('@');
  return { documentId: dv.slice(0, at), version: Number(dv.slice(at + 1)) };
}

/** Chroma takes a list of two or more. */
function all(conditions: readonly Where[]): Where | undefined {
  return conditions.length > 1 ? { $and: [...conditions] } : conditions[0];
}
