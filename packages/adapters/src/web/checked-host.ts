import { lookup as systemLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { isLocalName, isPublicAddress } from './address-rules.ts';

/** All addresses of a name. */
export type Lookup = (hostname: string) => Promise<readonly string[]>;

/** Where a URL leads, checked: connections go to these addresses and to no other. */
export interface CheckedHost {
  /** As in the URL, in lower case, IPv6 without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** At least one. */
  readonly addresses: readonly string[];
}

export interface HostCheckOptions {
  /** `host` or `host:port`: exceptions from the rules on addresses. Ports count only where they are named. */
  readonly allowHosts: readonly string[];
  readonly lookup?: Lookup;
}

/** What the system's resolver says, `/etc/hosts` included, as a connection would see it. */
const resolveName: Lookup = async (hostname) =>
  (await systemLookup(hostname, { all: true, order: 'verbatim' })).map(({ address }) => address);

/**
 * Parses an address given by a user.
 * @throws MemoryError `fetch_forbidden` where it is no plain HTTP address
 */
export function parseFetchUrl(text: string, base?: string): URL {
  const url = URL.parse(text, base);
  if (!url) throw forbidden('The address is not a valid URL.');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw forbidden('Only http and https addresses can be fetched.');
  }
  if (url.username !== '' || url.password !== '') {
    throw forbidden('Addresses with a user name or password are not fetched.', 'Use an address that needs neither.');
  }
  return url;
}

/**
 * Gives a function that finds out where a URL leads, and refuses where any of its addresses is not public: of a name
 * with one good and one bad address the connection might take the bad one.
 * The URL parser has already turned every spelling of an IPv4 address (`127.1`, `0x7f.1`, `2130706433`) into four numbers.
 * @throws MemoryError `fetch_forbidden`; `fetch_failed` where the name cannot be found
 */
export function createHostCheck({ allowHosts, lookup = resolveName }: HostCheckOptions) {
  const checkWritten = createWrittenHostCheck(allowHosts);

  return async function checkHost(url: URL): Promise<CheckedHost> {
    const { hostname, port, excepted } = checkWritten(url);
    if (isIP(hostname) !== 0) return { hostname, port, addresses: [hostname] };
    const addresses = await addressesOf(lookup, hostname);
    if (!excepted && !addresses.every(isPublicAddress)) throw notPublic();
    return { hostname, port, addresses };
  };
}

/**
 * The part of the check that looks nothing up: what a URL says by itself. A name that it lets pass may still lead where
 * it must not.
 * @throws MemoryError `fetch_forbidden`
 */
export function createWrittenHostCheck(allowHosts: readonly string[]) {
  const exceptions = new Set(allowHosts.map((host) => host.trim().toLowerCase()));

  return (url: URL): { hostname: string; port: number; excepted: boolean } => {
    const hostname = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    const excepted = exceptions.has(url.hostname) || exceptions.has(`${url.hostname}:${port}`);
    const isPublic = isIP(hostname) !== 0 ? isPublicAddress(hostname) : hostname !== '' && !isLocalName(hostname);
    if (!excepted && !isPublic) throw notPublic();
    return { hostname, port, excepted };
  };
}

async function addressesOf(lookup: Lookup, hostname: string): Promise<readonly string[]> {
  const notFound = (cause?: unknown) =>
    new MemoryError('fetch_failed', `The host ${hostname} cannot be found.`, {
      // A resolver that is busy and a name that does not exist look alike often enough.
      retry: { kind: 'backoff' },
      cause,
    });
  let addresses: readonly string[];
  try {
    addresses = await lookup(hostname);
  } catch (cause) {
    throw notFound(cause);
  }
  if (addresses.length === 0) throw notFound();
  return addresses;
}

const notPublic = () =>
  forbidden(
    'The address leads to a machine that is not on the public internet.',
    'Upload the document instead, or have an operator allow the host in FETCH_ALLOW_HOSTS.',
  );

function forbidden(message: string, hint?: string): MemoryError {
  return new MemoryError('fetch_forbidden', message, hint ? { hint } : {});
}
