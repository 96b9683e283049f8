import { cacheSuite } from './cache-suite.ts';
import { createInMemoryCache } from './in-memory-cache.ts';

cacheSuite('the cache in memory', () => createInMemoryCache());
