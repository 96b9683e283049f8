import type { ArchiveEntry, WriteArchive } from '@semantic-memory/shared/ports/archive';
import { createTarPacker, type TarPackController } from 'modern-tar';

/** Packs files into a tar as they are taken: at most 8 MB wait. An entry whose bytes are not as many as it said fails it. */
export const writeTar: WriteArchive = async function* (entries) {
  const { readable, controller } = createTarPacker();
  // Its errors are met by whoever reads the archive.
  const packing = pack(entries, controller).catch((error: unknown) => controller.error(error));
  try {
    for await (const piece of readable) yield piece;
  } finally {
    await packing;
  }
};

async function pack(entries: AsyncIterable<ArchiveEntry>, controller: TarPackController): Promise<void> {
  for await (const { name, bytes, body } of entries) {
    const writer = controller.add({ name, size: bytes, type: 'file' }).getWriter();
    for await (const piece of body) if (piece.byteLength > 0) await writer.write(piece);
    await writer.close();
  }
  controller.finalize();
}
