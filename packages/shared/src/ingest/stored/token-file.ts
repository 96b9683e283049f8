import { crc32 } from 'node:zlib';
import type { PassageTokens } from '../../ports/embedder.ts';

/*
 * The token vectors of a version in one file, from which one chunk's can be read alone. Numbers are little-endian, and
 * every part begins at a multiple of 4:
 *
 *   head     'SMTV', layout, check of the model's name, check of the chunks, how many chunks, numbers in a token's
 *            vector, numbers in a passage's, 0 (all uint32)
 *   table    how many tokens lie before each chunk, and in all (uint32)
 *   records  one a chunk: where its text begins in the document's and the check of its text (uint32), the direction of
 *            its own vector (int8), then for its tokens: scales (float32), starts (int32), vectors (int8)
 */

const magic = 0x56_54_4d_53;
const layout = 1;
const headBytes = 32;

/** What there is of one chunk. `starts` are in the chunk's own text; what was put before it begins below 0. */
export interface ChunkTokens extends PassageTokens {
  /** Where the chunk's text begins in the document's. */
  readonly textStart: number;
  readonly textCheck: number;
  /** The passage's vector up to its length. */
  readonly direction: Int8Array;
}

/** What a file is for. */
export interface TokenFileFacts {
  readonly modelCheck: number;
  /** Tells whether a file is of just these chunks. */
  readonly chunksCheck: number;
  readonly chunks: number;
  readonly width: number;
  readonly directionWidth: number;
}

export interface TokenTable extends TokenFileFacts {
  /** How many tokens lie before each chunk; one more entry than there are chunks. */
  readonly before: Uint32Array;
}

/** Whether a text is the one that was embedded. Not against forgery: the store is ours. */
export const checkOf = (text: string): number => crc32(text);

/** Tells apart the chunks of two versions by the hashes of what was embedded. */
export const checkOfChunks = (chunks: readonly { readonly contentHash: string }[]): number =>
  checkOf(chunks.map(({ contentHash }) => contentHash).join('\n'));

export const tableBytes = (chunks: number) => headBytes + 4 * (chunks + 1);

/** Half-open, in the file's bytes. */
export function recordRange(table: TokenTable, index: number): { start: number; end: number } {
  const { chunks, width, directionWidth, before } = table;
  const at = (chunk: number) => tableBytes(chunks) + chunk * (8 + directionWidth) + before[chunk]! * (8 + width);
  return { start: at(index), end: at(index + 1) };
}

export const fileBytes = (table: TokenTable): number => recordRange(table, table.chunks - 1).end;

/**
 * The table at a file's beginning.
 * @returns how many bytes that takes where fewer are given, undefined where they are no such file
 */
export function readTable(bytes: Uint8Array): TokenTable | { readonly needsBytes: number } | undefined {
  if (bytes.byteLength < headBytes) return undefined;
  const [found, version, modelCheck, chunksCheck, chunks, width, directionWidth] = new Uint32Array(
    aligned(bytes.subarray(0, headBytes)),
  ) as unknown as [number, number, number, number, number, number, number];
  if (found !== magic || version !== layout || chunks === 0) return undefined;
  const needsBytes = tableBytes(chunks);
  if (bytes.byteLength < needsBytes) return { needsBytes };
  const before = new Uint32Array(aligned(bytes.subarray(headBytes, needsBytes)));
  return { modelCheck, chunksCheck, chunks, width, directionWidth, before };
}

export function writeTable({ modelCheck, chunksCheck, chunks, width, directionWidth, before }: TokenTable): Uint8Array {
  return bytesOf(
    Uint32Array.of(magic, layout, modelCheck, chunksCheck, chunks, width, directionWidth, 0),
    before.subarray(0, chunks + 1),
  );
}

export function tableOf(facts: TokenFileFacts, counts: readonly number[]): TokenTable {
  const before = new Uint32Array(counts.length + 1);
  counts.forEach((count, chunk) => {
    before[chunk + 1] = before[chunk]! + count;
  });
  return { ...facts, before };
}

export function writeTokenFile(facts: TokenFileFacts, chunks: readonly ChunkTokens[]): Uint8Array {
  const table = tableOf(
    facts,
    chunks.map(({ scales }) => scales.length),
  );
  return bytesOf(
    writeTable(table),
    ...chunks.flatMap(({ textStart, textCheck, direction, scales, starts, values }) => [
      Uint32Array.of(textStart, textCheck),
      ...[direction, scales, starts, values],
    ]),
  );
}

/** The record of a chunk. @param bytes all of `recordRange` */
export function readRecord(
  { before, width, directionWidth }: TokenTable,
  index: number,
  bytes: Uint8Array,
): ChunkTokens {
  const buffer = aligned(bytes);
  const count = before[index + 1]! - before[index]!;
  const [textStart, textCheck] = new Uint32Array(buffer, 0, 2) as unknown as [number, number];
  let at = 8;
  const direction = new Int8Array(buffer, at, directionWidth);
  at += directionWidth;
  const scales = new Float32Array(buffer, at, count);
  at += 4 * count;
  const starts = new Int32Array(buffer, at, count);
  at += 4 * count;
  return { textStart, textCheck, direction, scales, starts, values: new Int8Array(buffer, at, count * width) };
}

/** A vector up to its length, in steps of 1/127 of its largest number. */
export function directionOf(vector: Float32Array): Int8Array {
  const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return Int8Array.from(vector, (value) => (largest === 0 ? 0 : Math.round((value / largest) * 127)));
}

/** A copy that typed arrays of any width can lie over. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

function bytesOf(...parts: readonly ArrayBufferView[]): Uint8Array {
  return Buffer.concat(
    parts.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
  );
}
