import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import jwt from 'jsonwebtoken';
import type { Io } from './io.ts';

export interface TokenClaims {
  tenant: string;
  subject: string;
  /** Space-separated. */
  scope: string;
  expiresInSeconds: number;
}

export const allScopes = 'memory:read memory:write memory:admin';

/** A fault of the command line or its surroundings, told without a stack trace. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * A token signed with `JWT_SECRET`, or with the secret that the service keeps in its data folder on this machine.
 *
 * @throws UsageError where there is no secret.
 */
export async function makeToken(env: Io['env'], claims: TokenClaims): Promise<string> {
  const { tenant, scope, subject, expiresInSeconds } = claims;
  return jwt.sign({ tenant, scope }, await findSecret(env), {
    algorithm: 'HS256',
    subject,
    expiresIn: expiresInSeconds,
    ...(env.JWT_AUDIENCE ? { audience: env.JWT_AUDIENCE } : {}),
    ...(env.JWT_ISSUER ? { issuer: env.JWT_ISSUER } : {}),
  });
}

async function findSecret(env: Io['env']): Promise<string> {
  if (env.JWT_SECRET) return env.JWT_SECRET;
  // The folder of the checkout, so that the command works from anywhere; the current one comes first.
  const checkout = fileURLToPath(new URL('../../../.data', import.meta.url));
  const folders = env.DATA_DIR ? [env.DATA_DIR] : ['.data', checkout];
  for (const folder of folders) {
    const secret = await readFile(join(folder, 'jwt-secret'), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw new UsageError(`The secret in ${join(folder, 'jwt-secret')} cannot be read: ${error.code}.`);
    });
    if (secret.trim()) return secret.trim();
  }
  throw new UsageError(
    'No token: give one by --token or SEMANTIC_MEMORY_TOKEN. On the machine of the service, JWT_SECRET or DATA_DIR ' +
      `(looked in: ${folders.join(', ')}) makes one by itself.`,
  );
}

/** `90`, `15m`, `12h`, `30d` in seconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+)([smhd]?)$/.exec(text);
  if (!match) throw new UsageError(`"${text}" is not a time such as 90, 15m, 12h or 30d.`);
  return Number(match[1]) * { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }[match[2] as '' | 's' | 'm' | 'h' | 'd'];
}
