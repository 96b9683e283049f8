import type { Cache, CacheArea, CacheEntry } from '../ports/cache.ts';
import { type Clock, systemClock } from '../ports/clock.ts';

interface Area {
  readonly entries: Map<string, { entry: CacheEntry; goneAtMs: number }>;
  readonly claims: Map<string, symbol>;
}

export interface InMemoryCache extends Cache {
  /** How many entries there are. */
  readonly size: number;
}

/** One layer, without a bound. JSON goes in and comes out, as in the real one. */
export function createInMemoryCache(clock: Clock = systemClock): InMemoryCache {
  const areas = new Map<string, Area>();
  const areaOf = ({ tenant, namespace }: CacheArea): Area => {
    const id = JSON.stringify([tenant, namespace]);
    const area = areas.get(id) ?? { entries: new Map(), claims: new Map() };
    areas.set(id, area);
    return area;
  };
  return {
    get size() {
      return [...areas.values()].reduce((sum, { entries }) => sum + entries.size, 0);
    },
    async get(of, key) {
      const found = areaOf(of).entries.get(key);
      return found && found.goneAtMs > clock.now() ? found.entry : undefined;
    },
    async claim(of, key) {
      const { entries, claims } = areaOf(of);
      if (claims.has(key)) return undefined;
      const own = Symbol(key);
      claims.set(key, own);
      return {
        foundNothing: !entries.has(key),
        async store(value, { freshMs, graceMs }) {
          if (claims.get(key) !== own) return;
          claims.delete(key);
          const storedAtMs = clock.now();
          const entry = { value: JSON.parse(JSON.stringify(value)), storedAtMs };
          entries.set(key, { entry, goneAtMs: storedAtMs + freshMs + graceMs });
        },
        async release() {
          if (claims.get(key) === own) claims.delete(key);
        },
      };
    },
    async clear(of) {
      const { entries, claims } = areaOf(of);
      const count = entries.size;
      entries.clear();
      claims.clear();
      return count;
    },
    close: async () => {},
  };
}
