import { createSecretKey } from 'node:crypto';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { type ScopeName, scopes } from '@semantic-memory/shared/contracts/http/endpoint';
import { Tenant } from '@semantic-memory/shared/contracts/model/ids';
import { createRemoteJWKSet, errors as joseErrors, jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { z } from 'zod';

/** Who calls, and what they may do. */
export interface Principal {
  readonly tenant: string;
  readonly subject: string | undefined;
  readonly scopes: ReadonlySet<ScopeName>;
}

/** @throws MemoryError `unauthenticated`, or `dependency_unavailable` where the key set cannot be had */
export type VerifyToken = (token: string) => Promise<Principal>;

export interface TokenOptions {
  /** Key of HS256 tokens; without it there are none. */
  readonly jwtSecret?: string | undefined;
  /** Key set of RS256 and ES256 tokens; without it there are none. */
  readonly jwksUrl?: string | undefined;
  readonly audience?: string | undefined;
  readonly issuer?: string | undefined;
}

const Claims = z.object({
  sub: z.string().optional(),
  tenant: Tenant,
  scope: z.string().default(''),
  exp: z.number(),
});

/**
 * Which key checks a token follows from its algorithm, and the algorithm must be one of three: a token can neither
 * come without a signature nor have a public key taken for a shared secret (RFC 8725 section 3.1).
 */
export function createTokenVerifier(options: TokenOptions): VerifyToken {
  const verifyShared = options.jwtSecret === undefined ? undefined : sharedSecretCheck(options.jwtSecret, options);
  const verifyPublic = options.jwksUrl === undefined ? undefined : keySetCheck(options.jwksUrl, options);
  return async (token) => {
    const { alg: algorithm } = checkedHeader(token);
    const verify =
      algorithm === 'HS256' ? verifyShared : algorithm === 'RS256' || algorithm === 'ES256' ? verifyPublic : undefined;
    if (!verify) throw unauthenticated('The token is signed in a way that is not accepted here.');
    const claims = Claims.safeParse(await verify(token));
    if (!claims.success) {
      throw unauthenticated('The token lacks a claim that is required.', {
        hint: 'It needs `tenant` and `exp`, and `scope` for what it may do.',
      });
    }
    const { tenant, sub, scope } = claims.data;
    const granted = scope.split(' ').filter((name): name is ScopeName => (scopes as readonly string[]).includes(name));
    return { tenant, subject: sub, scopes: new Set(granted) };
  };
}

/** The token of an `Authorization` header. @throws MemoryError `unauthenticated` */
export function bearerToken(header: string | undefined): string {
  const token = /^Bearer +([\w-]+\.[\w-]+\.[\w-]*)$/i.exec(header?.trim() ?? '')?.[1];
  if (token) return token;
  throw unauthenticated(header ? 'The Authorization header holds no bearer token.' : 'The request carries no token.', {
    hint: 'Send `Authorization: Bearer TOKEN`.',
  });
}

/** @throws MemoryError `forbidden` where one is missing */
export function requireScopes(principal: Principal, required: readonly ScopeName[]): void {
  const missing = required.filter((scope) => !principal.scopes.has(scope));
  if (missing.length === 0) return;
  throw new MemoryError('forbidden', `The token lacks the scope ${missing.join(' ')}.`, { details: { missing } });
}

/** A key's name as issuers give them: no path, no address, no query. */
const KeyId = z.string().regex(/^(?!.*\.\.)[\w.:=+@-]{1,256}$/);

const Header = z.object({ alg: z.unknown(), kid: KeyId.optional(), crit: z.undefined().optional() });

/**
 * The header says which check comes next, so it is looked at before anything is known of who wrote it. Of what `crit`
 * names we understand nothing, and RFC 7515 section 4.1.11 has such a token refused. A key's name chooses nothing here but
 * a key of the set; one that reads like a path or a query is refused all the same, for whatever comes behind us.
 */
function checkedHeader(token: string): { readonly alg?: unknown } {
  let header: unknown;
  try {
    header = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString('utf8'));
  } catch (cause) {
    throw unauthenticated('The token is malformed.', { cause });
  }
  const checked = Header.safeParse(header);
  if (!checked.success)
    throw unauthenticated('The header of the token is not accepted here.', { cause: checked.error });
  return checked.data;
}

function sharedSecretCheck(secret: string, { audience, issuer }: TokenOptions) {
  // Made once: from a string, each check would make it anew.
  const key = createSecretKey(Buffer.from(secret, 'utf8'));
  return async (token: string): Promise<unknown> => {
    try {
      return jsonwebtoken.verify(token, key, {
        algorithms: ['HS256'],
        ...(audience === undefined ? {} : { audience }),
        ...(issuer === undefined ? {} : { issuer }),
      });
    } catch (cause) {
      const expired = cause instanceof jsonwebtoken.TokenExpiredError;
      throw unauthenticated(expired ? 'The token has expired.' : 'The token is not valid.', { cause });
    }
  };
}

function keySetCheck(url: string, { audience, issuer }: TokenOptions) {
  const keys = createRemoteJWKSet(new URL(url), { timeoutDuration: 3000 });
  return async (token: string): Promise<unknown> => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['RS256', 'ES256'],
        requiredClaims: ['exp'],
        ...(audience === undefined ? {} : { audience }),
        ...(issuer === undefined ? {} : { issuer }),
      });
      return payload;
    } catch (cause) {
      if (isFaultOfToken(cause)) {
        const expired = cause instanceof joseErrors.JWTExpired;
        throw unauthenticated(expired ? 'The token has expired.' : 'The token is not valid.', { cause });
      }
      throw new MemoryError('dependency_unavailable', 'The key set that tokens are checked with cannot be had.', {
        cause,
      });
    }
  };
}

/** The rest is the key set's: it timed out, was refused, or is no key set. */
function isFaultOfToken(cause: unknown): boolean {
  if (!(cause instanceof joseErrors.JOSEError)) return false;
  return !(
    cause instanceof joseErrors.JWKSTimeout ||
    cause instanceof joseErrors.JWKSInvalid ||
    cause.code === joseErrors.JOSEError.code
  );
}

function unauthenticated(message: string, options: { hint?: string; cause?: unknown } = {}): MemoryError {
  return new MemoryError('unauthenticated', message, options);
}
