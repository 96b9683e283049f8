import type { RecordSelection, VectorHit, VectorQuery, VectorRecord } from '@semantic-memory/shared/ports/vector-index';
import type { Metadata, Where } from 'chromadb';
import { dithered } from './dither.ts';
import { forTheWire } from './packed-vector.ts';

/**
 * What a record carries beside vector and text: nothing that can change while the version lives. Chroma keeps a row for each
 * member and reads all of them for each record that it shows: what no query asks for is one text.
 */
interface RecordMetadata extends Metadata {
  documentId: string;
  /** `documentId@version`: one value to leave a version out by. */
  dv: string;
  /** The others, as JSON. */
  rest: string;
  /** Milliseconds since 1970; in history only. */
  activeFrom?: number;
  activeTo?: number;
}

/** In `rest`. */
type Rest = Pick<VectorRecord, 'index' | 'headings' | 'start' | 'end' | 'page' | 'before'>;

/** As records were written before there was `rest`. */
interface FormerMetadata extends Metadata {
  index: number;
  page?: number;
  /** A JSON list: Chroma refuses empty lists. */
  headings: string;
  start: number;
  end: number;
  before?: string;
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
  const { index, headings, start, end, page, before } = record;
  const rest: Rest = { index, headings, start, end, page, before };
  return {
    documentId: record.documentId,
    dv: documentVersion(record.documentId, record.version),
    rest: JSON.stringify(rest),
    ...(record.active ? { activeFrom: record.active.from, activeTo: record.active.to } : {}),
  };
}

function restOf(metadata: Metadata): Rest {
  if (typeof metadata.rest === 'string') return JSON.parse(metadata.rest);
  const { index, headings, start, end, page, before } = metadata as FormerMetadata;
  return { index, headings: JSON.parse(headings), start, end, page, before };
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
  const { id, document, distance, metadata } = row;
  if (!metadata || typeof document !== 'string' || typeof distance !== 'number') return undefined;
  const { index, headings, start, end, page, before } = restOf(metadata);
  return {
    chunkId: id,
    ...versionOf(metadata),
    index,
    ...(page === undefined ? {} : { page }),
    headings,
    start,
    end,
    ...(before === undefined ? {} : { before }),
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

/** The filter of a document's records, or of those of one version; which of them are meant only `isSelected` tells. */
export const whereDocument = (documentId: string, { version }: RecordSelection): Where =>
  version === undefined ? { documentId } : { dv: documentVersion(documentId, version) };

/** Whether a record that `whereDocument` found is meant. */
export const isSelected = (
  metadata: Metadata | null | undefined,
  { upToVersion = Number.POSITIVE_INFINITY, fromIndex = 0 }: RecordSelection,
): boolean => metadata != null && versionOf(metadata).version <= upToVersion && restOf(metadata).index >= fromIndex;

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
