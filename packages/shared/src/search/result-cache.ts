import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import { MemoryError } from '../contracts/errors.ts';
import type { Cache, CacheArea, CacheClaim, CacheEntry, CacheTimes } from '../ports/cache.ts';
import { canonicalJson } from '../ports/canonical-json.ts';
import type { Clock } from '../ports/clock.ts';
import { createFlights } from './flights.ts';

/** Names the shape of what is stored: another release with another shape does not read it. */
const schemaVersion = 1;

/** From this share of its time on an entry is renewed in the background by the next who asks for it. */
const earlyShare = 0.8;
/** Longest that a renewal in the background may take; nobody waits for it. */
const renewalMs = 60_000;
/** How often a caller looks whether another process has computed what it waits for: at first, and at most. */
const firstLookMs = 5;
const lookMs = 40;
/** Of how many requests the last key is remembered; some 200 bytes each. */
const mostRequests = 10_000;

/** Everything that a value follows from. */
interface Subject {
  readonly area: CacheArea;
  readonly kind: 'embedding' | 'search' | 'answer';
  /** The request, as JSON; the order of members does not matter. */
  readonly of: unknown;
  /** Of the namespace, where the value follows from its documents. */
  readonly generation?: string | undefined;
}

/** What is asked of the cache. */
export interface Remembered<Value> extends Subject {
  readonly schema: z.ZodType<Value>;
  /**
   * Looks whether a value that is no longer fresh, or of a generation before, may still be shown now; gives it with what
   * has changed since, or undefined. Without it such a value is never given.
   */
  readonly ifStillTrue?: ((value: Value) => Promise<Value | undefined>) | undefined;
}

/** @returns what was computed, and whether it may be kept: what lacks something is given to those who wait, and no more */
export type Compute<Value> = (signal: AbortSignal) => Promise<{ readonly value: Value; readonly keep: boolean }>;

export interface Found<Value> {
  readonly value: Value;
  /** `computed` by this very call, `shared` with another that was computing it, or from the `cache`. */
  readonly origin: 'computed' | 'shared' | 'cache';
  /** Past its time, since it could not be computed anew. */
  readonly stale: boolean;
}

export interface Begun<Value> {
  readonly value?: Value;
  /** To be used once: `store` or `release`. */
  readonly claim?: { store(value: Value): Promise<void>; release(): Promise<void> };
}

export interface ResultCache {
  /**
   * A value from the cache, or computed: once, however many ask for it in however many processes. Where it cannot be
   * computed (or not whole), one that is past its time but still true.
   * @throws what `compute` throws; MemoryError `cancelled` by `signal`
   */
  remember<Value>(what: Remembered<Value>, compute: Compute<Value>, signal?: AbortSignal): Promise<Found<Value>>;
  /**
   * For what is shown while it is being computed: the value, or the claim to store it once it is whole; neither where
   * another computes it.
   */
  begin<Value>(what: Remembered<Value>): Promise<Begun<Value>>;
}

export interface ResultCacheOptions {
  readonly cache: Cache;
  readonly clock: Clock;
  /** Of search results and answers. */
  readonly freshMs: number;
  readonly embeddingFreshMs: number;
  readonly graceMs: number;
}

/** What searches and answers remember of each other, over a cache. */
export function createResultCache({
  cache,
  clock,
  freshMs,
  embeddingFreshMs,
  graceMs,
}: ResultCacheOptions): ResultCache {
  const timesOf = ({ kind }: Subject): CacheTimes => ({
    freshMs: kind === 'embedding' ? embeddingFreshMs : freshMs,
    graceMs,
  });
  const flights = createFlights();
  // Where a request's last value lies, whatever the generation: for when it cannot be computed. No text, only hashes.
  const lastKeys = new Map<string, string>();

  function noteLast(request: string, key: string): void {
    lastKeys.delete(request);
    lastKeys.set(request, key);
    const [oldest] = lastKeys.keys();
    if (lastKeys.size > mostRequests) lastKeys.delete(oldest as string);
  }

  async function look<Value>(what: Remembered<Value>, key: string, again = false): Promise<Entry<Value> | undefined> {
    const entry = await cache.get(what.area, key, { again });
    return entry && parsed(what, entry, clock.now());
  }

  /** Computes as the only one of all processes, or waits for whoever does. */
  async function compute<Value>(
    what: Remembered<Value>,
    key: string,
    older: Entry<Value> | undefined,
    work: Compute<Value>,
    signal: AbortSignal,
  ): Promise<{ value: Value; keep: boolean; origin: Found<Value>['origin'] }> {
    const isNew = (entry: Entry<Value> | undefined) =>
      entry !== undefined && entry.storedAtMs > (older?.storedAtMs ?? 0) && entry.ageMs < timesOf(what).freshMs;
    for (let waitMs = firstLookMs; ; waitMs = Math.min(waitMs * 2, lookMs)) {
      const claim = await cache.claim(what.area, key);
      // Also with the claim: between the look before and the claim another may have been done.
      const entry = claim?.foundNothing ? undefined : await look(what, key, true);
      if (entry && isNew(entry)) {
        await claim?.release();
        return { value: entry.value, keep: true, origin: 'shared' };
      }
      if (claim) return { ...(await computeAs(claim, what, work, signal)), origin: 'computed' };
      await pause(waitMs, signal);
    }
  }

  async function computeAs<Value>(
    claim: CacheClaim,
    what: Remembered<Value>,
    work: Compute<Value>,
    signal: AbortSignal,
  ): Promise<{ value: Value; keep: boolean }> {
    try {
      const result = await work(signal);
      // Nobody waits for the shared layer: it is there before this process or another asks next.
      void (result.keep ? claim.store(result.value, timesOf(what)) : claim.release());
      return result;
    } catch (error) {
      await claim.release();
      throw error;
    }
  }

  /** The next who asks finds it renewed; whoever asks now has it already. */
  function renewEarly<Value>(what: Remembered<Value>, key: string, entry: Entry<Value>, work: Compute<Value>): void {
    const flight = flightOf(what, key);
    if (flights.has(flight)) return;
    const run = (signal: AbortSignal) => compute(what, key, entry, work, signal);
    // What it meets is met again by whoever asks once the entry's time is over.
    flights.run(flight, run, AbortSignal.timeout(renewalMs)).catch(() => {});
  }

  /** One that is past its time, or of a generation before, where it is still true. */
  async function whatIsLeft<Value>(what: Remembered<Value>, request: string, key: string) {
    if (!what.ifStillTrue) return undefined;
    const last = lastKeys.get(request);
    for (const at of new Set(last === undefined ? [key] : [key, last])) {
      const entry = await look(what, at, true);
      const value = entry && (await what.ifStillTrue(entry.value));
      if (value !== undefined) return value;
    }
    return undefined;
  }

  return {
    async remember(what, work, signal) {
      const { request, key } = keysOf(what);
      const entry = await look(what, key);
      if (entry && entry.ageMs < timesOf(what).freshMs) {
        noteLast(request, key);
        if (entry.ageMs > timesOf(what).freshMs * earlyShare) renewEarly(what, key, entry, work);
        return { value: entry.value, origin: 'cache', stale: false };
      }
      let failure: unknown;
      try {
        const flight = flightOf(what, key);
        const joined = flights.has(flight);
        const run = (own: AbortSignal) => compute(what, key, entry, work, own);
        const result = await flights.run(flight, run, signal);
        if (result.keep) noteLast(request, key);
        const found = { value: result.value, origin: joined ? 'shared' : result.origin, stale: false } as const;
        if (result.keep) return found;
        // Not whole. What is past its time is, and nothing has changed since.
        const left = entry && what.ifStillTrue && (await what.ifStillTrue(entry.value));
        return left === undefined ? found : { value: left, origin: 'cache', stale: true };
      } catch (error) {
        failure = error;
      }
      if (!isAway(failure) || signal?.aborted) throw failure;
      const left = await whatIsLeft(what, request, key);
      if (left === undefined) throw failure;
      return { value: left, origin: 'cache', stale: true };
    },

    async begin(what) {
      const { request, key } = keysOf(what);
      const entry = await look(what, key);
      if (entry && entry.ageMs < timesOf(what).freshMs) return { value: entry.value };
      const claim = await cache.claim(what.area, key);
      if (!claim) return {};
      const store = async (value: unknown) => {
        noteLast(request, key);
        await claim.store(value, timesOf(what));
      };
      return { claim: { store, release: () => claim.release() } };
    },
  };
}

interface Entry<Value> {
  readonly value: Value;
  readonly storedAtMs: number;
  readonly ageMs: number;
}

/** Undefined where it is not what this release would have stored. */
function parsed<Value>(
  what: Remembered<Value>,
  { value, storedAtMs }: CacheEntry,
  nowMs: number,
): Entry<Value> | undefined {
  const result = what.schema.safeParse(value);
  return result.success ? { value: result.data, storedAtMs, ageMs: nowMs - storedAtMs } : undefined;
}

/** Hashes: neither a key nor a log line shows what was asked. */
function keysOf({ kind, of, generation }: Subject): { request: string; key: string } {
  const request = canonicalJson([schemaVersion, kind, of]);
  const hash = (text: string) => createHash('sha256').update(text).digest('base64url');
  return { request: hash(request), key: hash(`${generation ?? ''}\n${request}`) };
}

const flightOf = ({ area }: Subject, key: string) => JSON.stringify([area.tenant, area.namespace, key]);

const isAway = (error: unknown) => error instanceof MemoryError && error.code === 'dependency_unavailable';

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    throw new MemoryError('cancelled', 'The request was cancelled.', { cause: error });
  }
}
