import { setImmediate as nextTurn } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { tokensKey, type VersionRef } from '../../ingest/stored/blob-keys.ts';
import { readEmbedded } from '../../ingest/stored/embedded-chunks.ts';
import {
  type ChunkTokens,
  checkOf,
  readRecord,
  readTable,
  recordRange,
  type TokenTable,
} from '../../ingest/stored/token-file.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { ChunkAddress } from '../../ports/lexical-index.ts';

/** A chunk whose token vectors are wanted, with its text: what was embedded for another text is none of its. */
export interface WantedChunk extends ChunkAddress {
  readonly text: string;
}

/** Reads token vectors of chunks from the blob store and keeps them in process. */
export interface TokenVectorReader {
  /**
   * Those of each chunk that are there, of this model and of this very text, before the time is over. What comes later
   * is kept for the next who asks. Never throws: what cannot be read is not there.
   */
  read(
    tenant: string,
    model: string,
    chunks: readonly WantedChunk[],
    withinMs: number,
  ): Promise<(ChunkTokens | undefined)[]>;
}

/** Has the whole of a short document, and the table and first chunks of a longer one. */
const firstBytes = 64 * 1024;
/** How long it is believed that a version has no token vectors: a retry may bring them. */
const absentMs = 60_000;
/** Files that are read before others get their turn: some hundred microseconds of the page cache. */
const readsATurn = 8;

/** The table of a file, and where that is. */
interface StoredTable {
  readonly key: string;
  readonly table: TokenTable;
}

type Entry = ChunkTokens | StoredTable | 'absent';

export interface TokenVectorOptions {
  readonly blobs: Pick<BlobStore, 'get' | 'getRange'>;
  /** Memory for what was read. */
  readonly maxBytes: number;
}

export function createTokenVectorReader({ blobs, maxBytes }: TokenVectorOptions): TokenVectorReader {
  const kept = new LRUCache<string, Entry>({
    maxSize: maxBytes,
    // A key and the objects around the numbers take some 600 bytes.
    sizeCalculation: (entry, key) => 600 + key.length + (entry === 'absent' ? 0 : bytesIn(entry)),
  });
  const running = new Map<string, Promise<ChunkTokens | undefined>>();

  async function load(ref: VersionRef, model: string, name: string, index: number): Promise<ChunkTokens | undefined> {
    const known = kept.get(name);
    if (known === 'absent') return undefined;
    const read = known ? { ...(known as StoredTable), head: new Uint8Array() } : await readFileOf(ref, model);
    if (!read) {
      kept.set(name, 'absent', { ttl: absentMs });
      return undefined;
    }
    const { key, table, head } = read;
    if (!known && table.chunks > 1) kept.set(name, { key, table });
    if (index >= table.chunks) return undefined;
    const { start, end } = recordRange(table, index);
    const bytes = end <= head.byteLength ? head.subarray(start, end) : await blobs.getRange(key, start, end);
    if (bytes?.byteLength !== end - start) return undefined;
    return readRecord(table, index, bytes);
  }

  /** The version's own file, or the one in the model's folder where the version was made with another. */
  async function readFileOf(ref: VersionRef, model: string) {
    const own = await readHead(tokensKey(ref));
    if (own?.table.modelCheck === checkOf(model)) return own;
    const embedded = await readEmbedded(blobs, ref, model);
    const read = embedded?.ref.folder === undefined ? undefined : await readHead(tokensKey(embedded.ref));
    return read?.table.modelCheck === checkOf(model) ? read : undefined;
  }

  async function readHead(key: string): Promise<(StoredTable & { readonly head: Uint8Array }) | undefined> {
    let head = await blobs.getRange(key, 0, firstBytes);
    let table = head && readTable(head);
    if (table && 'needsBytes' in table) {
      head = await blobs.getRange(key, 0, table.needsBytes);
      table = head && readTable(head);
    }
    return head && table && !('needsBytes' in table) ? { key, table, head } : undefined;
  }

  /** One read for all who want it; a store that is away, or a damaged file, has nothing. */
  function loadOnce(ref: VersionRef, model: string, index: number, name: string, chunkName: string) {
    const under = running.get(chunkName);
    if (under) return under;
    const loading = load(ref, model, name, index)
      .catch(() => undefined)
      .then((tokens) => {
        running.delete(chunkName);
        if (tokens) kept.set(chunkName, tokens);
        return tokens;
      });
    running.set(chunkName, loading);
    return loading;
  }

  return {
    async read(tenant, model, chunks, withinMs) {
      const found: (ChunkTokens | undefined)[] = new Array(chunks.length).fill(undefined);
      const missing: number[] = [];
      const names = chunks.map(({ documentId, version }) => JSON.stringify([tenant, model, documentId, version]));
      const chunkNames = chunks.map(({ index }, at) => `${names[at]}${index}`);
      chunks.forEach((chunk, at) => {
        const entry = kept.get(chunkNames[at] as string) as ChunkTokens | undefined;
        if (entry?.textCheck === checkOf(chunk.text)) found[at] = entry;
        else missing.push(at);
        if (entry && !found[at]) forget(at);
      });
      /** A retry may have cut the same version anew. */
      function forget(at: number): void {
        kept.delete(names[at] as string);
        kept.delete(chunkNames[at] as string);
      }
      if (missing.length === 0) return found;
      const isLate = Promise.withResolvers<void>();
      const timer = setTimeout(isLate.resolve, withinMs);
      const all = (async () => {
        for (let from = 0; from < missing.length; from += readsATurn) {
          // A store on this machine answers at once: without a turn of the loop no timer would fire, nor others be heard.
          if (from > 0) await nextTurn();
          await Promise.all(
            missing.slice(from, from + readsATurn).map(async (at) => {
              const chunk = chunks[at] as WantedChunk;
              const ref = { tenant, documentId: chunk.documentId, version: chunk.version };
              const tokens = await loadOnce(ref, model, chunk.index, names[at] as string, chunkNames[at] as string);
              if (tokens?.textCheck === checkOf(chunk.text)) found[at] = tokens;
              else if (tokens) forget(at);
            }),
          );
        }
      })();
      await Promise.race([all, isLate.promise]);
      clearTimeout(timer);
      return [...found];
    },
  };
}

function bytesIn(entry: ChunkTokens | StoredTable): number {
  if ('table' in entry) return entry.key.length + entry.table.before.byteLength;
  return entry.direction.byteLength + entry.scales.byteLength + entry.starts.byteLength + entry.values.byteLength;
}
