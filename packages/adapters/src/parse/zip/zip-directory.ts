import { inflateRawSync } from 'node:zlib';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { corrupt } from '../library-error.ts';

/** One member of a zip archive, as its directory says. Sizes in bytes. */
export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly packed: number;
  readonly inflated: number;
  readonly crc: number;
  readonly offset: number;
}

/** Office documents have some dozens of parts; with many pictures some hundreds. */
const maxEntries = 10_000;
/** DEFLATE packs at most 1032:1, and repetitive XML reaches 100:1: only large members are suspicious. */
const maxRatio = 200;
const ratioFromBytes = 10 * 2 ** 20;
export const endSignature = 0x06054b50;
export const entrySignature = 0x02014b50;
export const localSignature = 0x04034b50;

/**
 * Reads the directory of a zip archive and refuses what would not fit in memory, before anything is inflated.
 * @throws MemoryError `limits_exceeded`, `corrupt_document`
 */
export function readZipDirectory(bytes: Buffer, kind: string, maxInflatedBytes: number): ZipEntry[] {
  const end = findEnd(bytes, kind);
  const count = bytes.readUInt16LE(end + 10);
  let at = bytes.readUInt32LE(end + 16);
  if (count > maxEntries) throw tooLarge(kind, `${count} parts`);
  const entries: ZipEntry[] = [];
  let total = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== entrySignature) throw corrupt(kind);
    const nameLength = bytes.readUInt16LE(at + 28);
    const entry = {
      name: bytes.toString('utf8', at + 46, at + 46 + nameLength),
      method: bytes.readUInt16LE(at + 10),
      packed: bytes.readUInt32LE(at + 20),
      inflated: bytes.readUInt32LE(at + 24),
      crc: bytes.readUInt32LE(at + 16),
      offset: bytes.readUInt32LE(at + 42),
    };
    total += entry.inflated;
    if (total > maxInflatedBytes) throw tooLarge(kind, `more than ${maxInflatedBytes} bytes when unpacked`);
    if (entry.inflated > ratioFromBytes && entry.inflated > entry.packed * maxRatio) {
      throw tooLarge(kind, 'a part packed so densely that it is not a real document');
    }
    entries.push(entry);
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}

/**
 * Inflates one member.
 * @throws MemoryError `limits_exceeded` where it is larger than the directory said, `corrupt_document`
 */
export function inflateEntry(bytes: Buffer, entry: ZipEntry, kind: string): Buffer {
  const { method, inflated } = entry;
  const data = packedData(bytes, entry, kind);
  if (method === 0) return data;
  if (method !== 8) throw corrupt(kind);
  try {
    return inflateRawSync(data, { maxOutputLength: Math.max(1, inflated) });
  } catch (error) {
    throw corrupt(kind, error);
  }
}

/** A member's bytes as they stand in the archive. @throws MemoryError `corrupt_document` */
export function packedData(bytes: Buffer, { offset, packed }: ZipEntry, kind: string): Buffer {
  if (offset + 30 > bytes.length || bytes.readUInt32LE(offset) !== localSignature) throw corrupt(kind);
  const start = offset + 30 + bytes.readUInt16LE(offset + 26) + bytes.readUInt16LE(offset + 28);
  return bytes.subarray(start, start + packed);
}

function findEnd(bytes: Buffer, kind: string): number {
  const from = Math.max(0, bytes.length - 22 - 0xffff);
  for (let at = bytes.length - 22; at >= from; at--) if (bytes.readUInt32LE(at) === endSignature) return at;
  throw corrupt(kind);
}

function tooLarge(kind: string, what: string): MemoryError {
  return new MemoryError('limits_exceeded', `The ${kind} has ${what}.`, {
    hint: 'Split it, or save it again in its own program.',
  });
}
