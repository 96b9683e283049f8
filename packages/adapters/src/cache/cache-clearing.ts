import type { Cache } from '@semantic-memory/shared/ports/cache';
import { openSharedLayer, type SharedLayerOptions, tagOf } from './shared-layer.ts';

/** For a process that reads nothing from the cache: clears areas in the shared layer and in all processes. */
export function createCacheClearing(options: SharedLayerOptions): Pick<Cache, 'clear' | 'close'> {
  const shared = openSharedLayer(options);
  return {
    clear: async (area) => (await shared.clear(tagOf(area))).removed,
    close: () => shared.close(),
  };
}
