import { createHash, randomBytes } from 'node:crypto';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { CacheArea } from '@semantic-memory/shared/ports/cache';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import type { BreakerState } from '../breaker/breaker.ts';
import { askDirectly, closeRedis, openRedis, withRedis } from '../redis/connection.ts';
import { runScript } from '../redis/script.ts';
import { claimScript, releaseScript, renewScript, storeScript, voidScript } from './cache-scripts.ts';

export interface SharedLayerOptions {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  /** Begins every key. */
  readonly prefix: string;
  readonly logger?: Logger | undefined;
  /** Told whenever the circuit breaker changes. */
  readonly onBreakerState?: ((state: BreakerState) => void) | undefined;
  /** What is claimed is free again when its process has been silent for so long. */
  readonly holdMs?: number;
}

/** A cache that takes longer than this is slower than doing without. */
const timeoutMs = 300;
const defaultHoldMs = 6_000;
/** So often within that time a claim is renewed. */
const renewals = 3;
/** A claim that is never used nor given back is not renewed for ever. */
const longestHoldMs = 10 * 60_000;
/** Of one area; the oldest make room. */
const mostEntries = 2_000;
/** Keys a command, when an area is cleared. */
const keysAtOnce = 500;
const mostRounds = 5;

export interface SharedClaim {
  /** Whether there was no entry when it was claimed. */
  readonly foundNothing: boolean;
  /** @returns false where the claim was void by then */
  store(value: string, lifeMs: number): Promise<boolean>;
  release(): Promise<void>;
}

/** What a namespace's keys share, so that they lie on one node of a cluster. Hashed: a tenant may hold any character. */
export const tagOf = ({ tenant, namespace }: CacheArea): string =>
  createHash('sha256')
    .update(JSON.stringify([tenant, namespace ?? null]))
    .digest('hex')
    .slice(0, 32);

/** What tells an entry from all others, in every layer. */
const entryKeyOf = (tag: string, key: string) => `{${tag}}:e:${key}`;

/** The layer of the cache that all processes share, in Redis. Every call throws `dependency_unavailable` where it is away. */
export type SharedLayer = ReturnType<typeof openSharedLayer>;

export function openSharedLayer({ url, prefix, logger, onBreakerState, holdMs = defaultHoldMs }: SharedLayerOptions) {
  const redis = openRedis(url, { name: 'cache', prefix, logger, onBreakerState, timeoutMs });
  const root = `${prefix}:cache`;
  const claimsOf = (tag: string) => `${root}:{${tag}}:claims`;
  const indexOf = (tag: string) => `${root}:{${tag}}:index`;
  const entryOf = (tag: string, key: string) => `${root}:${entryKeyOf(tag, key)}`;
  const channel = `${root}:cleared`;

  async function unlink(tag: string, keys: readonly string[]): Promise<number> {
    let removed = 0;
    for (let from = 0; from < keys.length; from += keysAtOnce) {
      const slice = keys.slice(from, from + keysAtOnce);
      removed += await withRedis(redis, () => redis.unlink(slice.map((key) => entryOf(tag, key))));
      await withRedis(redis, () => redis.zrem(indexOf(tag), ...slice));
    }
    return removed;
  }

  async function anyLeft(tag: string, keys: readonly string[]): Promise<boolean> {
    for (let from = 0; from < keys.length; from += keysAtOnce) {
      const names = keys.slice(from, from + keysAtOnce).map((key) => entryOf(tag, key));
      if ((await withRedis(redis, () => redis.exists(...names))) > 0) return true;
    }
    return false;
  }

  return {
    redis,
    /** Says which area was cleared. */
    channel,
    /** Begins the keys of entries; `entryKeyOf` is the rest. */
    root,
    entryKeyOf,

    /** @returns undefined where another has it */
    async claim(tag: string, key: string): Promise<SharedClaim | undefined> {
      const token = randomBytes(12).toString('base64url');
      const claims = claimsOf(tag);
      const keys = [claims, entryOf(tag, key)];
      const taken = await withRedis(redis, () => runScript(redis, claimScript, keys, [key, token, holdMs]));
      if (taken === 0) return undefined;
      const begunAt = performance.now();
      const timer = setInterval(() => {
        if (performance.now() - begunAt > longestHoldMs) clearInterval(timer);
        // One that is void is noticed when it is used; a layer that is away for a moment may be back by then.
        else withRedis(redis, () => runScript(redis, renewScript, [claims], [key, token, holdMs])).catch(() => {});
      }, holdMs / renewals);
      timer.unref();
      return {
        foundNothing: taken === 1,
        async store(value, lifeMs) {
          clearInterval(timer);
          const keys = [claims, entryOf(tag, key), indexOf(tag)];
          const args = [key, token, value, lifeMs, mostEntries];
          const answer = await withRedis(redis, () => runScript(redis, storeScript, keys, args));
          if (!Array.isArray(answer)) return false;
          if (answer.length > 0) await unlink(tag, answer as string[]);
          return true;
        },
        async release() {
          clearInterval(timer);
          await withRedis(redis, () => runScript(redis, releaseScript, [claims], [key, token]));
        },
      };
    },

    /**
     * Removes all of an area, looks again, and tells all processes. Repeating it changes nothing.
     * @returns the keys of the entries that there were, and how many of them were there still
     */
    async clear(tag: string): Promise<{ keys: ReadonlySet<string>; removed: number }> {
      const known = new Set<string>();
      let removed = 0;
      for (let round = 1; ; round += 1) {
        const answer = await withRedis(redis, () => runScript(redis, voidScript, [claimsOf(tag), indexOf(tag)], []));
        const keys = answer as string[];
        removed += await unlink(tag, keys);
        for (const key of keys) known.add(key);
        await withRedis(redis, () => redis.publish(channel, tag));
        if (!(await anyLeft(tag, keys))) return { keys: known, removed };
        if (round === mostRounds) throw new MemoryError('dependency_unavailable', 'The cache could not be cleared.');
      }
    },

    /** Also where it is known to be away. */
    async check(): Promise<void> {
      await askDirectly(redis, () => redis.echo(''));
    },

    close: () => closeRedis(redis),
  };
}
