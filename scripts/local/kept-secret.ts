import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import jwt from 'jsonwebtoken';

const DAYS_30_SECONDS = 30 * 24 * 60 * 60;

/** A secret kept in the folder, made at the first start; only its owner may read it. */
export async function keepSecret(dataDir: string, name: 'jwt-secret' | 'webhook-secret'): Promise<string> {
  await mkdir(dataDir, { recursive: true });
  const file = join(dataDir, name);
  try {
    // RFC 7518 section 3.2: a key of HS256 has at least the 256 bits of its hash.
    await writeFile(file, `${randomBytes(48).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return (await readFile(file, 'utf8')).trim();
}

/** A token of tenant `demo` with every scope, for the user of this machine; good for 30 days. */
export function demoToken(secret: string, claims: { audience?: string | undefined; issuer?: string | undefined } = {}) {
  return jwt.sign({ tenant: 'demo', scope: 'memory:read memory:write memory:admin' }, secret, {
    algorithm: 'HS256',
    subject: 'demo',
    expiresIn: DAYS_30_SECONDS,
    ...(claims.audience === undefined ? {} : { audience: claims.audience }),
    ...(claims.issuer === undefined ? {} : { issuer: claims.issuer }),
  });
}

/**
 * A demo token from JWT_SECRET, or from the secret that `make up` keeps in DATA_DIR.
 * @throws Error where there is neither
 */
export async function ownToken(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const dataDir = env.DATA_DIR ?? '.data';
  const kept = () => readFile(join(dataDir, 'jwt-secret'), 'utf8');
  const secret = env.JWT_SECRET ?? (await kept().catch(() => ''));
  if (!secret.trim()) {
    const where = `or a DATA_DIR that holds jwt-secret (looked in ${dataDir})`;
    throw new Error(`No token: give --token, SEMANTIC_MEMORY_TOKEN or JWT_SECRET, ${where}.`);
  }
  return demoToken(secret.trim(), { audience: env.JWT_AUDIENCE, issuer: env.JWT_ISSUER });
}
