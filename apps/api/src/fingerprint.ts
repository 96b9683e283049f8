import { createHash } from 'node:crypto';
import { canonicalJson } from '@semantic-memory/shared/ports/canonical-json';

/** sha256 over a value and the hash of a file, whatever the order of the members: what an Idempotency-Key stands for. */
export function fingerprint(fields: unknown, fileSha256: string | undefined): string {
  return createHash('sha256')
    .update(canonicalJson([fields, fileSha256 ?? null]))
    .digest('hex');
}
