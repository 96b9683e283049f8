import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** The parts of a token, as whoever forges one writes them. */
export interface TokenParts {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const unsigned = ({ header, claims }: TokenParts) => `${encoded(header)}.${encoded(claims)}`;

/** RFC 7515, signed by a function of what is to be signed. */
function signedBy(parts: TokenParts, signature: (text: string) => Buffer): string {
  const text = unsigned(parts);
  return `${text}.${signature(text).toString('base64url')}`;
}

export const withoutSignature = (parts: TokenParts) => `${unsigned(parts)}.`;

/** HS256, or another length of it, whatever the header says. */
export const signedShared = (parts: TokenParts, key: string | Buffer, length: 256 | 384 | 512 = 256) =>
  signedBy(parts, (text) => createHmac(`sha${length}`, key).update(text).digest());

/** RS256, or ES256 where the key is one of a curve. */
export const signedPrivate = (parts: TokenParts, key: KeyObject) =>
  signedBy(parts, (text) => sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }));

/** A pair of keys, and its public half as a key set has it. */
export function makeKeys(kind: 'RS256' | 'ES256', kid: string) {
  const { privateKey, publicKey } =
    kind === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, publicKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: kind, use: 'sig' } };
}
