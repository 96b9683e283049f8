import { crc32 } from 'node:zlib';
import { endSignature, entrySignature, localSignature, packedData, type ZipEntry } from './zip-directory.ts';

/**
 * The archive with some members replaced; the others are copied as they are packed.
 * @param contents By name, unpacked.
 */
export function replaceEntries(
  bytes: Buffer,
  entries: readonly ZipEntry[],
  contents: ReadonlyMap<string, Buffer>,
  kind: string,
): Buffer {
  const members: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const content = contents.get(entry.name);
    const data = content ?? packedData(bytes, entry, kind);
    const described = content
      ? { method: 0, packed: content.length, inflated: content.length, crc: crc32(content) }
      : entry;
    const name = Buffer.from(entry.name);
    const header = commonHeader(described, name.length);
    members.push(signature(localSignature), header, name, data);
    // Version made by, the common fields, then no comment, first disk, no attributes, and where the member begins.
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(signature(entrySignature), Buffer.from([20, 0]), header, place, name);
    offset += 4 + header.length + name.length + data.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(
    directory.reduce((sum, { length }) => sum + length, 0),
    8,
  );
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...members, ...directory, signature(endSignature), end]);
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** The fields that a member's own header and its line in the directory share. */
function commonHeader(entry: Pick<ZipEntry, 'method' | 'packed' | 'inflated' | 'crc'>, nameLength: number): Buffer {
  const header = Buffer.alloc(26);
  header.writeUInt16LE(20, 0);
  // Names are UTF-8.
  header.writeUInt16LE(0x0800, 2);
  header.writeUInt16LE(entry.method, 4);
  header.writeUInt32LE(entry.crc, 10);
  header.writeUInt32LE(entry.packed, 14);
  header.writeUInt32LE(entry.inflated, 18);
  header.writeUInt16LE(nameLength, 22);
  return header;
}
