import { isIPv6, type LookupFunction } from 'node:net';
import type { Agent } from 'undici';
import type { CheckedHost } from './checked-host.ts';

/** Connections that lead to checked addresses and to no other. */
export interface PinnedAgent {
  readonly agent: Agent;
  /** Allows the addresses of a host that was checked. */
  pin(host: CheckedHost): void;
}

/**
 * An agent for one errand: no connection outlives the check that it was made under. A name that is looked up anew may
 * lead elsewhere by then, so it is not.
 * @param timeoutMs for the connection, the head and each part of the body
 */
export async function createPinnedAgent(timeoutMs: number): Promise<PinnedAgent> {
  // Loaded by the tier that has a way out, and by no other.
  const { Agent } = await import('undici');
  const pinned = new Map<string, readonly string[]>();
  return {
    agent: new Agent({
      connect: { lookup: pinnedLookup(pinned) },
      connectTimeout: timeoutMs,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      maxResponseSize: -1,
    }),
    pin: ({ hostname, addresses }) => void pinned.set(hostname, addresses),
  };
}

/** Answers from what was checked; a name that was not is not looked up. Literal addresses never come here. */
function pinnedLookup(pinned: ReadonlyMap<string, readonly string[]>): LookupFunction {
  return (hostname, options, callback) => {
    const addresses = (pinned.get(hostname.replace(/\.$/, '')) ?? []).map((address) => ({
      address,
      family: isIPv6(address) ? 6 : 4,
    }));
    const [first] = addresses;
    if (!first) callback(new Error(`${hostname} was not checked`), '', 0);
    else if (options.all) callback(null, addresses);
    else callback(null, first.address, first.family);
  };
}

/** A name server cannot be told to stop; waiting for it can. */
export async function orAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
