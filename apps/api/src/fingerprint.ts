import { createHash } from 'node:crypto';

/** sha256 over a value and the hash of a file, whatever the order of the members: what an Idempotency-Key stands for. */
export function fingerprint(fields: unknown, fileSha256: string | undefined): string {
  return createHash('sha256')
    .update(canonicalJson([fields, fileSha256 ?? null]))
    .digest('hex');
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
