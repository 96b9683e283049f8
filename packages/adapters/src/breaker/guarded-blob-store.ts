import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { BlobStore } from '@semantic-memory/shared/ports/blob-store';
import { type BreakerState, createBreaker } from './breaker.ts';

export interface BlobStoreTiming {
  /** One small blob, or one piece of a large one. */
  readonly callMs: number;
  /** Bringing a whole file to this machine, or removing a whole folder. */
  readonly longMs: number;
  /** How often a store that is known to hang is asked again. */
  readonly openMs: number;
}

export const blobStoreTiming: BlobStoreTiming = { callMs: 15_000, longMs: 120_000, openMs: 2_000 };

/** The store did not answer in time; what was asked may still come about. */
class Hangs extends MemoryError {}

/**
 * A blob store each of whose calls has a deadline: a network file system that hangs would hold every caller for ever.
 * Once one call was in vain nothing is tried until the store answers a check. Errors that the store reports itself (full,
 * read-only) pass through: what can be read still is.
 */
export function guardBlobStore(
  store: BlobStore,
  onState?: (state: BreakerState) => void,
  timing: BlobStoreTiming = blobStoreTiming,
): BlobStore {
  const message = 'The blob store does not answer.';
  const hint = 'Nothing was lost. The service goes on by itself once the store is back.';
  const breaker = createBreaker({
    verdictOf: (error) => (error instanceof Hangs ? 'gone' : 'answered'),
    openMs: () => timing.openMs,
    probe: () => within(timing.callMs, store.check()),
    onState,
    describe: () => ({ message, hint }),
  });

  async function within<Result>(limitMs: number, work: Promise<Result>): Promise<Result> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Hangs('dependency_unavailable', message, { hint })), limitMs);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }
  const short = <Result>(call: () => Promise<Result>) => breaker.run(() => within(timing.callMs, call()));
  const long = <Result>(call: () => Promise<Result>) => breaker.run(() => within(timing.longMs, call()));

  const pieces = <Item>(source: AsyncIterable<Item>): AsyncIterable<Item> => ({
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]();
      return {
        next: () => short(() => iterator.next()),
        return: async () => {
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  });

  return {
    put: (key, bytes) => short(() => store.put(key, bytes)),
    putAll: (blobs) => short(() => store.putAll(blobs)),
    putIfAbsent: (key, bytes, options) => short(() => store.putIfAbsent(key, bytes, options)),
    copy: (from, to) => short(() => store.copy(from, to)),
    move: (from, to) => short(() => store.move(from, to)),
    // How long a stream takes is up to its sender: the edge gives up on one that stops.
    putStream: (key, stream, limits) => breaker.run(() => store.putStream(key, stream, limits)),
    get: (key) => short(() => store.get(key)),
    getRange: (key, start, end) => short(() => store.getRange(key, start, end)),
    async getStream(key) {
      const found = await short(() => store.getStream(key));
      return found && { ...found, stream: pieces(found.stream) };
    },
    has: (key) => short(() => store.has(key)),
    list: (prefix) => pieces(store.list(prefix)),
    remove: (key) => short(() => store.remove(key)),
    removePrefix: (prefix) => long(() => store.removePrefix(prefix)),
    removeRemains: (prefix, isGone) => long(() => store.removeRemains(prefix, isGone)),
    localFile: (key) => long(() => store.localFile(key)),
    check: () => within(timing.callMs, store.check()),
  };
}
