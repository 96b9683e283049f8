import { MemoryError } from '@semantic-memory/shared/contracts/errors';

/** Codes of a disk that is full, gone, read-only, broken or not ours: they pass, or an operator has to act. */
const unavailable: Readonly<Record<string, string>> = {
  ENOSPC: 'The blob store is full.',
  EDQUOT: 'The blob store has used up its quota.',
  EROFS: 'The blob store is read-only.',
  EIO: 'The disk of the blob store reports errors.',
  ENODEV: 'The disk of the blob store is gone.',
  ENXIO: 'The disk of the blob store is gone.',
  ESTALE: 'The network file system of the blob store is gone.',
  ETIMEDOUT: 'The network file system of the blob store does not answer.',
  EMFILE: 'The process has too many files open.',
  ENFILE: 'The system has too many files open.',
  EACCES: 'The process may not use the folder of the blob store.',
  EPERM: 'The process may not use the folder of the blob store.',
};

export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | null)?.code;

/** True where the file, or a folder on the way to it, is not there. */
export const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(codeOf(error) ?? '');

/** What a file system call threw, as the one error type. */
export function fileFailure(thrown: unknown): MemoryError {
  if (thrown instanceof MemoryError) return thrown;
  const message = unavailable[codeOf(thrown) ?? ''];
  if (message === undefined) return new MemoryError('internal', 'The blob store failed.', { cause: thrown });
  return new MemoryError('dependency_unavailable', message, {
    hint: 'Nothing was lost. The service goes on by itself once the disk can be written again.',
    cause: thrown,
  });
}
