import { createHash } from 'node:crypto';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { CollectionKey } from '@semantic-memory/shared/ports/vector-index';
import {
  AdminClient,
  ChromaClient,
  ChromaClientError,
  ChromaNotFoundError,
  ChromaUniqueError,
  type Collection,
} from 'chromadb';
import { LRUCache } from 'lru-cache';
import type { BreakerState } from '../breaker/breaker.ts';
import { type ChromaTiming, createCircuit, withDeadline } from './circuit.ts';

export interface ChromaOptions {
  readonly host: string;
  readonly port: number;
  readonly ssl: boolean;
  /** Sent as `x-chroma-token`, to Chroma Cloud or a proxy that asks for it. */
  readonly apiKey?: string | undefined;
  /** Whose databases, and which of them; made where they are missing. Without them Chroma's own defaults. */
  readonly tenant?: string | undefined;
  readonly database?: string | undefined;
  /** Told whenever the circuit breaker changes. */
  readonly onBreakerState?: (state: BreakerState) => void;
  /** Told whenever a collection had to be made for a write: it is new, or the server has lost it. */
  readonly onCollectionMade?: () => void;
}

/**
 * A hash of tenant, namespace and model, so that no two of them can meet however they are spelt, and always within
 * the characters and the length that Chroma takes (3 to 512).
 */
export function collectionName({ tenant, namespace, model, history }: CollectionKey): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([tenant, namespace, model, ...(history ? ['history'] : [])]))
    .digest('hex');
  return `sm_${hash.slice(0, 40)}`;
}

/**
 * The graph of the index, for new collections: Chroma keeps what a collection was made with. Its defaults (16, 100,
 * 100) lost one in ten records among tight clusters of 500; these lost none, for 0.8 ms instead of 0.4 a record added
 * and the same time a query.
 */
const hnsw = { space: 'cosine', max_neighbors: 32, ef_construction: 200, ef_search: 200 } as const;

/** Ids of collections that are kept, about 2 MB. */
const maxKnown = 10_000;

export interface Collections {
  /** Calls with the collection, or returns `empty` where there is none. Made again by others: found again. */
  reading<Result>(
    key: CollectionKey,
    withinMs: number,
    empty: Result,
    call: (collection: Collection) => Promise<Result>,
  ): Promise<Result>;
  /**
   * Calls with the collection, which is made where there is none, and whether the server reads vectors as base64. `call`
   * must be safe to repeat.
   */
  writing<Result>(
    key: CollectionKey,
    withinMs: number,
    call: (collection: Collection, packs: boolean) => Promise<Result>,
  ): Promise<Result>;
  /** Removes the collection with all that it holds; there need be none. */
  remove(key: CollectionKey, withinMs: number): Promise<void>;
  heartbeat(): Promise<void>;
  /** The error that a call would get at once; undefined where it would be tried. */
  outage(): MemoryError | undefined;
}

export function createCollections(options: ChromaOptions, timing: ChromaTiming): Collections {
  const ids = new LRUCache<string, string>({ max: maxKnown });
  let limits: Limits | undefined;
  const clientFor = (signal: AbortSignal) => new DeadlineClient(options, signal, limits);
  const circuit = createCircuit((signal) => clientFor(signal).heartbeat(), timing, options.onBreakerState);

  const remember = (name: string, id: string) => {
    ids.set(name, id);
    return id;
  };

  /** Undefined where there is no such collection. */
  async function find(client: ChromaClient, name: string): Promise<string | undefined> {
    try {
      return remember(name, (await client.getCollection({ name })).id);
    } catch (error) {
      if (error instanceof ChromaNotFoundError) return undefined;
      throw error;
    }
  }

  async function findOrMake(client: DeadlineClient, name: string): Promise<string | undefined> {
    const known = await find(client, name);
    if (known !== undefined) return known;
    try {
      const made = await client.getOrCreateCollection({ name, embeddingFunction: null, configuration: { hnsw } });
      options.onCollectionMade?.();
      return remember(name, made.id);
    } catch (error) {
      // Two processes that make it at the same time: it is there now.
      if (error instanceof ChromaUniqueError) return find(client, name);
      if (!(error instanceof ChromaClientError && missingDatabase.test(error.message))) throw error;
      await client.makeDatabase();
      return findOrMake(client, name);
    }
  }

  /** Calls with the collection; once more where it has been deleted since its id was looked up. */
  async function withCollection<Result>(
    withinMs: number,
    name: string,
    locate: (client: DeadlineClient, name: string) => Promise<string | undefined>,
    call: (collection: Collection, client: DeadlineClient) => Promise<Result>,
  ): Promise<{ result: Result } | undefined> {
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      try {
        return await circuit.run(withinMs, async (signal) => {
          const client = clientFor(signal);
          const id = ids.get(name) ?? (await locate(client, name));
          return id === undefined ? undefined : { result: await call(client.collection(id), client) };
        });
      } catch (error) {
        if (!(error instanceof ChromaNotFoundError)) throw error;
        ids.delete(name);
      }
    }
    return undefined;
  }

  return {
    async reading(key, withinMs, empty, call) {
      const found = await withCollection(withinMs, collectionName(key), find, call);
      return found ? found.result : empty;
    },
    async writing(key, withinMs, call) {
      const found = await withCollection(withinMs, collectionName(key), findOrMake, async (collection, client) => {
        limits ??= await client.getPreflightChecks();
        return call(collection, limits.supports_base64_encoding ?? false);
      });
      if (found) return found.result;
      throw new MemoryError('dependency_unavailable', 'The collection was deleted while it was written.');
    },
    async remove(key, withinMs) {
      const name = collectionName(key);
      ids.delete(name);
      try {
        await circuit.run(withinMs, (signal) => clientFor(signal).deleteCollection({ name }));
      } catch (error) {
        if (!(error instanceof ChromaNotFoundError)) throw error;
      }
    },
    outage: () => circuit.outage(),
    async heartbeat() {
      // Not through the breaker: whoever asks wants to know about the server, not about us.
      await withDeadline(timing.heartbeatMs, (signal) => clientFor(signal).heartbeat());
    },
  };
}

/** What a server says to whoever makes a collection in a database that it does not have. */
const missingDatabase = /Database \[.*\] does not exist/;

type Limits = Awaited<ReturnType<ChromaClient['getPreflightChecks']>>;

/**
 * A client for one call. The library has no deadline of its own and takes a signal only when a client is made, which
 * costs microseconds: connections belong to the process. What it would ask the server before every write is handed on.
 */
class DeadlineClient extends ChromaClient {
  readonly #makeDatabase: () => Promise<void>;

  constructor(options: ChromaOptions, signal: AbortSignal, limits: Limits | undefined) {
    const { host, port, ssl, apiKey, tenant = 'default_tenant', database = 'default_database' } = options;
    const headers = apiKey === undefined ? {} : { 'x-chroma-token': apiKey };
    const server = { host, port, ssl, headers, fetchOptions: { signal } };
    // Named always, which also keeps the library from reading the environment.
    super({ ...server, tenant, database });
    this.preflightChecks = limits;
    this.#makeDatabase = async () => {
      const admin = new AdminClient(server);
      await unlessThere(admin.createTenant({ name: tenant }));
      await unlessThere(admin.createDatabase({ name: database, tenant }));
    };
  }

  /** Makes tenant and database, as far as they are missing. */
  makeDatabase(): Promise<void> {
    return this.#makeDatabase();
  }

  /** Vectors are packed by `forTheWire`, where they can be. */
  override async supportsBase64Encoding(): Promise<boolean> {
    return false;
  }
}

/** Two processes may make the same thing at the same time. */
async function unlessThere(made: Promise<unknown>): Promise<void> {
  try {
    await made;
  } catch (error) {
    if (!(error instanceof ChromaUniqueError)) throw error;
  }
}
