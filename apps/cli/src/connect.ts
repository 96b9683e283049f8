import { type Client, createClient } from '@semantic-memory/client/client';
import type { Io } from './io.ts';
import { allScopes, makeToken, UsageError } from './token.ts';

export interface GlobalOptions {
  url?: string | undefined;
  token?: string | undefined;
  json?: boolean | undefined;
}

/**
 * The service that is named, or the one of this machine: `PORT` is where `make up` puts it.
 *
 * @throws UsageError where it is no address.
 */
export function urlOf(io: Io, options: GlobalOptions): string {
  const url = options.url || io.env.SEMANTIC_MEMORY_URL || `http://127.0.0.1:${io.env.PORT || 8080}`;
  if (!/^https?:/.test(url) || !URL.canParse(url)) {
    throw new UsageError(`"${url}" is no address of a service, such as http://127.0.0.1:8080.`);
  }
  return url;
}

/** The token that is given, else one for each request, made on the machine of the service. */
export function tokenOf(io: Io, options: GlobalOptions): string | (() => Promise<string>) {
  const claims = { tenant: 'demo', subject: 'cli', scope: allScopes, expiresInSeconds: 3600 };
  return options.token || io.env.SEMANTIC_MEMORY_TOKEN || (() => makeToken(io.env, claims));
}

/** A client of the service that the options and the environment name; without a token it makes one that lasts an hour. */
export async function connect(io: Io, options: GlobalOptions): Promise<Client> {
  const token = tokenOf(io, options);
  // Asked once now, so that a missing secret is told before any work begins.
  if (typeof token === 'function') await token();
  return createClient({ baseUrl: urlOf(io, options), token });
}
