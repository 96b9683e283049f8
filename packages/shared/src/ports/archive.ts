/** A file in an archive. */
export interface ArchiveEntry {
  readonly name: string;
  readonly bytes: number;
  /** Read once, whole or in part, before the next entry is asked for. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * The files of an archive in their order, each read or passed over before the next. Nothing is held but what is read.
 * @throws MemoryError `unprocessable` where it is no archive, is cut short, or holds anything but plain files
 */
export type ReadArchive = (archive: AsyncIterable<Uint8Array>) => AsyncIterable<ArchiveEntry>;

/** The bytes of an archive, made as fast as they are taken. */
export type WriteArchive = (entries: AsyncIterable<ArchiveEntry>) => AsyncIterable<Uint8Array>;
