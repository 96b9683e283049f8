import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { Cache, CacheArea, CacheClaim, CacheEntry, CacheTimes } from '@semantic-memory/shared/ports/cache';
import type { Metrics } from '@semantic-memory/shared/ports/metrics';
import { BentoCache, bentostore } from 'bentocache';
import { MemoryDriver } from 'bentocache/drivers/memory';
import { LRUCache } from 'lru-cache';
import { closeRedis, openRedis } from '../redis/connection.ts';
import { createAreaClears } from './area-clears.ts';
import { type Call, SharedDriver, sharedCalls } from './shared-driver.ts';
import { openSharedLayer, type SharedClaim, type SharedLayerOptions, tagOf } from './shared-layer.ts';

export interface TieredCacheOptions extends SharedLayerOptions {
  /** Most bytes in this process; the least recently used entries make room. */
  readonly localBytes: number;
  /** Most bytes that this process has in the shared layer at a time. */
  readonly sharedBytes: number;
  readonly metrics: Pick<Metrics, 'cacheRequest'>;
}

/** What an entry takes beside its text, about. */
const entryOverheadBytes = 200;
/** The largest entry's share of the memory. */
const largestShare = 8;
/** An entry that came from the shared layer is in this process for no longer; its own times are in it. */
const promotedMs = 10 * 60_000;

/** What bentocache keeps: it knows the times of an entry, and does not tell. */
interface Kept {
  readonly value: unknown;
  readonly storedAtMs: number;
  readonly goneAtMs: number;
}

/**
 * Two layers by bentocache: this process's memory, and Redis for all processes. What it lacks is here and in the layer:
 * a claim across processes (its locks are a process's own), and clearing an area with a count and with certainty (its
 * tags expire entries and leave the text where it is). Its bus is not used: a key stands for one value, so that the only
 * news is that an area was cleared.
 */
export function createTieredCache(options: TieredCacheOptions): Cache & { check(): Promise<void> } {
  const { localBytes, sharedBytes, metrics, logger, url, prefix } = options;
  const shared = openSharedLayer(options);
  const clears = createAreaClears();
  const local = new LRUCache<string, string>({
    maxSize: localBytes,
    maxEntrySize: Math.ceil(localBytes / largestShare),
    // Two bytes a character at most.
    sizeCalculation: (value, key) => 2 * (value.length + key.length) + entryOverheadBytes,
  });
  const tiers = bentostore()
    .useL1Layer({ options: {}, factory: () => new MemoryDriver({ cacheInstance: local }) })
    .useL2Layer({ options: {}, factory: () => new SharedDriver(shared, sharedBytes) });
  const bento = new BentoCache({ default: 'tiers', stores: { tiers }, suppressL2Errors: true });

  /** Empties an area of this process's memory. */
  function clearLocally(tag: string): string[] {
    clears.note(tag);
    const prefix = shared.entryKeyOf(tag, '');
    const keys = [...local.keys()].filter((key) => key.startsWith(prefix));
    for (const key of keys) local.delete(key);
    return keys.map((key) => key.slice(prefix.length));
  }

  const watch = openRedis(url, { name: 'cache-watch', prefix, logger });
  watch.on('message', (_channel: string, tag: string) => void clearLocally(tag));
  let listens = false;
  watch.on('close', () => {
    listens = false;
  });
  watch.on('ready', () => void listen());

  async function listen(): Promise<void> {
    try {
      await watch.subscribe(shared.channel);
      // What was said while nobody listened is lost.
      clears.noteAll();
      local.clear();
      listens = true;
    } catch (error) {
      // The connection broke again; its next one is listened to.
      logger?.warn('the cache does not hear what is cleared', { error });
    }
  }

  async function find(tag: string, key: string, call: Call): Promise<Kept | undefined> {
    const entryKey = shared.entryKeyOf(tag, key);
    const moment = clears.now();
    const found: Kept | undefined = await sharedCalls.run(call, () => bento.get({ key: entryKey, grace: promotedMs }));
    if (!found || found.goneAtMs <= Date.now()) return undefined;
    if (!clears.since(tag, moment)) return found;
    // Cleared while it was on its way.
    local.delete(entryKey);
    return undefined;
  }

  async function store(
    claim: { tag: string; key: string; moment: number; shared: SharedClaim | undefined },
    value: unknown,
    { freshMs, graceMs }: CacheTimes,
  ): Promise<void> {
    const { tag, key, moment } = claim;
    if (clears.since(tag, moment)) {
      await claim.shared?.release();
      return;
    }
    const storedAtMs = Date.now();
    const kept: Kept = { value, storedAtMs, goneAtMs: storedAtMs + freshMs + graceMs };
    const entryKey = shared.entryKeyOf(tag, key);
    const call: Call = { claim: claim.shared };
    await sharedCalls.run(call, () =>
      bento.set({ key: entryKey, value: kept, ttl: freshMs, grace: freshMs + graceMs }),
    );
    // Cleared by another process that was not heard of yet.
    if (call.shared === 'refused') local.delete(entryKey);
  }

  /** A cache that is away is never a reason to fail. */
  async function unlessAway<Result>(work: () => Promise<Result>, otherwise: Result): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      logger?.debug('the shared layer of the cache is away', { error });
      return otherwise;
    }
  }

  return {
    async get(area: CacheArea, key: string, { again = false } = {}): Promise<CacheEntry | undefined> {
      const call: Call = {};
      const found = await find(tagOf(area), key, call);
      if (!again) {
        metrics.cacheRequest('l1', call.shared ? 'miss' : 'hit');
        if (call.shared && call.shared !== 'refused') metrics.cacheRequest('l2', call.shared);
      }
      return found && { value: found.value, storedAtMs: found.storedAtMs };
    },

    async claim(area: CacheArea, key: string): Promise<CacheClaim | undefined> {
      const tag = tagOf(area);
      const moment = clears.now();
      const taken = await unlessAway<SharedClaim | 'held' | undefined>(
        async () => (await shared.claim(tag, key)) ?? 'held',
        undefined,
      );
      if (taken === 'held') return undefined;
      return {
        foundNothing: taken?.foundNothing ?? false,
        store: (value, times) => unlessAway(() => store({ tag, key, moment, shared: taken }, value, times), undefined),
        release: () => unlessAway(async () => taken?.release(), undefined),
      };
    },

    async clear(area: CacheArea): Promise<number> {
      const tag = tagOf(area);
      const here = clearLocally(tag);
      const { keys, removed } = await shared.clear(tag);
      // A look-up that was under way may have brought one back.
      const since = clearLocally(tag);
      return removed + new Set([...here, ...since].filter((key) => !keys.has(key))).size;
    },

    async check() {
      await shared.check();
      if (!listens) throw new MemoryError('dependency_unavailable', 'The cache does not hear what is cleared.');
    },

    async close() {
      await Promise.all([closeRedis(watch), shared.close()]);
    },
  };
}
