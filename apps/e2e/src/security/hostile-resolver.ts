import dns from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Loaded into the processes of the service before anything else (`node --import`): names of somebody who runs a name
 * server that lies. Every other name is looked up as ever.
 */
const answers: Readonly<Record<string, readonly string[]>> = {
  'inside.rebind.test': ['127.0.0.1'],
  'mapped.rebind.test': ['::ffff:127.0.0.1'],
  // Of some good ones and a bad one the connection might take the bad one.
  'mixed.rebind.test': ['93.184.215.14', '127.0.0.1'],
};

const lookup = dns.lookup as (...all: unknown[]) => unknown;

dns.lookup = (async (hostname: string, ...rest: unknown[]) => {
  const addresses = answers[hostname];
  if (!addresses) return lookup(hostname, ...rest);
  return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
}) as typeof dns.lookup;
syncBuiltinESMExports();
