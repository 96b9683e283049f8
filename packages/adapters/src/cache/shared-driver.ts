import { AsyncLocalStorage } from 'node:async_hooks';
import { RedisDriver } from 'bentocache/drivers/redis';
import { withRedis } from '../redis/connection.ts';
import { createSharedBudget } from './shared-budget.ts';
import type { SharedClaim, SharedLayer } from './shared-layer.ts';

/** What one look-up or store tells the driver, and hears from it; bentocache passes on keys and values only. */
export interface Call {
  readonly claim?: SharedClaim | undefined;
  /** What the shared layer said, where it was asked. */
  shared?: 'hit' | 'miss' | 'error' | 'refused';
}

/** A larger one stays in the process that made it. */
const maxEntryBytes = 256 * 1024;

/** The calls under way. */
export const sharedCalls = new AsyncLocalStorage<Call>();

/** bentocache's driver for Redis, behind a breaker, and storing what was claimed only. */
export class SharedDriver extends RedisDriver {
  readonly #layer: SharedLayer;
  readonly #budget: ReturnType<typeof createSharedBudget>;

  constructor(layer: SharedLayer, maxBytes: number) {
    super({ connection: layer.redis, prefix: layer.root });
    this.#layer = layer;
    this.#budget = createSharedBudget(maxBytes);
  }

  override async get(key: string): Promise<string | undefined> {
    // Whoever looks something up does it in a call.
    const call = sharedCalls.getStore()!;
    call.shared = 'error';
    const value = await withRedis(this.#layer.redis, () => super.get(key));
    call.shared = value === undefined ? 'miss' : 'hit';
    return value;
  }

  override async set(_key: string, value: string, lifeMs: number): Promise<boolean> {
    const call = sharedCalls.getStore();
    const bytes = Buffer.byteLength(value);
    if (!call?.claim) return false;
    if (bytes > maxEntryBytes || !this.#budget.take(bytes, lifeMs)) {
      await call.claim.release();
      return false;
    }
    const stored = await call.claim.store(value, lifeMs);
    if (!stored) call.shared = 'refused';
    return stored;
  }
}
