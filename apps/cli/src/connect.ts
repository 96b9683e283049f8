import { type Client, createClient } from '@semantic-memory/client/client';
import type { Io } from './io.ts';
import { allScopes, makeToken } from './token.ts';

export interface GlobalOptions {
  url?: string | undefined;
  token?: string | undefined;
  json?: boolean | undefined;
}

/** The service that is named, or the one of this machine: `PORT` is where `make up` puts it. */
export function urlOf(io: Io, options: GlobalOptions): string {
  return options.url ?? io.env.SEMANTIC_MEMORY_URL ?? `http://127.0.0.1:${io.env.PORT || 8080}`;
}

/** A client of the service that the options and the environment name; without a token it makes one that lasts an hour. */
export async function connect(io: Io, options: GlobalOptions): Promise<Client> {
  const given = options.token ?? io.env.SEMANTIC_MEMORY_TOKEN;
  const claims = { tenant: 'demo', subject: 'cli', scope: allScopes, expiresInSeconds: 3600 };
  const token = given || (() => makeToken(io.env, claims));
  // Asked once now, so that a missing secret is told before any work begins.
  if (typeof token === 'function') await token();
  return createClient({ baseUrl: urlOf(io, options), token });
}
