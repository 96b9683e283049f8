import { MemoryError } from '../contracts/errors.ts';
import type { Chunk, ChunkSet } from '../contracts/model/chunk.ts';
import type { BlobStore, NewBlob } from '../ports/blob-store.ts';
import type { EmbeddedPassage, LateInteraction } from '../ports/embedder.ts';
import { vectorBatchSize } from './stored/artifacts.ts';
import { isTokensPart, tokensKey, tokensPartKey, type VectorsRef, versionPrefix } from './stored/blob-keys.ts';
import type { EmbeddedChunks } from './stored/embedded-chunks.ts';
import {
  type ChunkTokens,
  checkOf,
  checkOfChunks,
  directionOf,
  fileBytes,
  readRecord,
  readTable,
  recordRange,
  type TokenFileFacts,
  type TokenTable,
  tableOf,
  writeTable,
  writeTokenFile,
} from './stored/token-file.ts';

/** Keeps the token vectors of a version while it is embedded: a file a batch, and in the end one for all. */
export interface TokenKeeper {
  /** Whether those of the batch that begins at `from` are stored. */
  isStored(from: number): Promise<boolean>;
  /** What is there already for chunks of a batch, by content hash: from earlier versions, or from a batch before. */
  known(batch: readonly Chunk[]): Promise<Map<string, EmbeddedTokens>>;
  /** What is to be stored of the batch that begins at `from`. */
  blobOf(from: number, tokens: readonly ChunkTokens[]): NewBlob;
  /** Makes one file of all. */
  finish(): Promise<void>;
}

/** Of a text that was embedded, wherever it stands. */
export type EmbeddedTokens = Omit<ChunkTokens, 'textStart'>;

/** Which run of the model gave a chunk's tokens: where its text begins in what was embedded is told from both. */
export function tokensOf({ text, embedText }: Chunk, { vector, tokens }: EmbeddedPassage): EmbeddedTokens {
  // Title and headings go before the text.
  const before = embedText.length - text.length;
  const starts = tokens.starts.map((start) => start - before);
  return { ...tokens, starts, textCheck: checkOf(text), direction: directionOf(vector) };
}

/** Where the token vectors of a text lie that was embedded before. */
interface Place {
  readonly ref: VectorsRef;
  readonly set: ChunkSet;
  readonly index: number;
}

/** @param former what was cut of the document before, the likest first */
export function createTokenKeeper(
  deps: { readonly blobs: BlobStore },
  { ref, set }: EmbeddedChunks,
  former: readonly EmbeddedChunks[],
  { dimension: width }: LateInteraction,
): TokenKeeper {
  const { blobs } = deps;
  const factsOf = (chunks: readonly Chunk[]): TokenFileFacts => ({
    modelCheck: checkOf(set.model),
    chunksCheck: checkOfChunks(chunks),
    chunks: chunks.length,
    width,
    directionWidth: set.dimension,
  });
  const isOneBatch = set.chunks.length <= vectorBatchSize;
  const batchAt = (from: number) => set.chunks.slice(from, from + vectorBatchSize);
  const repeated = hashesOfMany(set.chunks);
  const again = new Map<string, EmbeddedTokens>();
  const places = placesOf(former, set);
  const tables = new Map<EmbeddedChunks['ref'], Promise<TokenTable | undefined>>();

  const isWhole = async () => (await matching(blobs, tokensKey(ref), factsOf(set.chunks))) !== undefined;

  async function read({ ref: source, set: its, index }: Place): Promise<ChunkTokens | undefined> {
    const key = tokensKey(source);
    const table = await (tables.get(source) ?? remember(source, matching(blobs, key, factsOf(its.chunks))));
    if (!table) return undefined;
    const { start, end } = recordRange(table, index);
    const bytes = await blobs.getRange(key, start, end);
    return bytes?.byteLength === end - start ? readRecord(table, index, bytes) : undefined;
  }

  function remember(source: VectorsRef, table: Promise<TokenTable | undefined>) {
    tables.set(source, table);
    return table;
  }

  return {
    async isStored(from) {
      if (!isOneBatch && (await matching(blobs, tokensPartKey(ref, from), factsOf(batchAt(from))))) return true;
      return isWhole();
    },

    async known(batch) {
      const found = new Map<string, EmbeddedTokens>();
      const look = async ({ contentHash, text }: Chunk) => {
        const place = places.get(contentHash);
        const tokens = again.get(contentHash) ?? (place && (await read(place)));
        // The same may have been embedded for a shorter text under another heading.
        if (tokens?.textCheck === checkOf(text)) found.set(contentHash, tokens);
      };
      await Promise.all(batch.map(look));
      return found;
    },

    blobOf(from, tokens) {
      const batch = batchAt(from);
      batch.forEach(({ contentHash }, at) => {
        if (!isOneBatch && repeated.has(contentHash)) again.set(contentHash, tokens[at] as ChunkTokens);
      });
      const key = isOneBatch ? tokensKey(ref) : tokensPartKey(ref, from);
      return { key, bytes: writeTokenFile(factsOf(batch), tokens) };
    },

    async finish() {
      if (isOneBatch) return;
      if (!(await isWhole())) await joinParts(blobs, ref, set, factsOf, batchAt);
      for await (const key of blobs.list(versionPrefix(ref))) if (isTokensPart(ref, key)) await blobs.remove(key);
    },
  };
}

/** The table of a file that is of just these chunks and this model. */
async function matching(blobs: BlobStore, key: string, facts: TokenFileFacts): Promise<TokenTable | undefined> {
  const expected = writeTable(tableOf(facts, new Array<number>(facts.chunks).fill(0))).byteLength;
  const head = await blobs.getRange(key, 0, expected);
  const table = head && readTable(head);
  if (!table || 'needsBytes' in table) return undefined;
  const isSame = (Object.keys(facts) as (keyof TokenFileFacts)[]).every((name) => table[name] === facts[name]);
  return isSame ? table : undefined;
}

/** Streams the batches' files into one: a long document's are hundreds of megabytes. */
async function joinParts(
  blobs: BlobStore,
  ref: VectorsRef,
  set: ChunkSet,
  factsOf: (chunks: readonly Chunk[]) => TokenFileFacts,
  batchAt: (from: number) => readonly Chunk[],
): Promise<void> {
  const parts: { key: string; table: TokenTable }[] = [];
  for (let from = 0; from < set.chunks.length; from += vectorBatchSize) {
    const key = tokensPartKey(ref, from);
    const table = await matching(blobs, key, factsOf(batchAt(from)));
    if (!table) throw missing();
    parts.push({ key, table });
  }
  const counts = parts.flatMap(({ table: { before } }) =>
    Array.from(before.subarray(1), (end, at) => end - before[at]!),
  );
  const whole = tableOf(factsOf(set.chunks), counts);
  const contents = async function* () {
    yield writeTable(whole);
    for (const { key, table } of parts) {
      const records = await blobs.getRange(key, recordRange(table, 0).start, fileBytes(table));
      if (!records) throw missing();
      yield records;
    }
  };
  await blobs.putStream(tokensKey(ref), contents(), { maxBytes: fileBytes(whole) });
}

// Whoever tries again embeds that batch anew.
const missing = () =>
  new MemoryError('internal', 'A batch of token vectors is not there any more.', { retry: { kind: 'backoff' } });

function hashesOfMany(chunks: readonly Chunk[]): Set<string> {
  const seen = new Set<string>();
  const many = new Set<string>();
  for (const { contentHash } of chunks) (seen.has(contentHash) ? many : seen).add(contentHash);
  return many;
}

function placesOf(former: readonly EmbeddedChunks[], wanted: ChunkSet): Map<string, Place> {
  const missing = new Set(wanted.chunks.map(({ contentHash }) => contentHash));
  const places = new Map<string, Place>();
  for (const { ref, set } of former)
    for (const [index, { contentHash }] of set.chunks.entries())
      if (missing.delete(contentHash)) places.set(contentHash, { ref, set, index });
  return places;
}
