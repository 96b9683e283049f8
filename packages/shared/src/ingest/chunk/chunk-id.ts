import { createHash } from 'node:crypto';

/** The id of a chunk: follows from where it lies, so that writing it again is writing the same. 32 hexadecimal digits. */
export function chunkIdOf(tenant: string, documentId: string, version: number, index: number): string {
  return createHash('sha256')
    .update(JSON.stringify([tenant, documentId, version, index]))
    .digest('hex')
    .slice(0, 32);
}
