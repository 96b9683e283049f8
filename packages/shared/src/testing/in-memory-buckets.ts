import { MemoryError } from '../contracts/errors.ts';
import type { ObjectFetcher } from '../ports/fetcher.ts';

export interface InMemoryBuckets extends ObjectFetcher {
  /** The texts of one bucket, by key; an error is thrown where its object is fetched. */
  readonly objects: Map<string, string | MemoryError>;
  /** How many objects are on one page of a list. */
  pageSize: number;
  /** What was asked for: keys, and prefixes with a `*` at the end. */
  readonly asked: string[];
  /** Thrown by every call, where it is set. */
  outage?: MemoryError | undefined;
}

/** One bucket in memory, whatever its name. */
export function createInMemoryBuckets(texts: Readonly<Record<string, string>> = {}): InMemoryBuckets {
  const buckets: InMemoryBuckets = {
    objects: new Map(Object.entries(texts)),
    pageSize: 2,
    asked: [],
    async *list({ prefix }) {
      buckets.asked.push(`${prefix}*`);
      if (buckets.outage) throw buckets.outage;
      const found = [...buckets.objects].filter(([key]) => key.startsWith(prefix)).sort();
      for (let from = 0; from < found.length; from += buckets.pageSize) {
        yield found
          .slice(from, from + buckets.pageSize)
          .map(([key, text]) => ({ key, bytes: typeof text === 'string' ? Buffer.byteLength(text) : 1 }));
      }
    },
    async fetch({ key }) {
      buckets.asked.push(key);
      if (buckets.outage) throw buckets.outage;
      const text = buckets.objects.get(key) ?? new MemoryError('fetch_failed', 'There is no such object.');
      if (typeof text !== 'string') throw text;
      return { body: bytesOf(text), mediaType: 'text/plain', filename: key.split('/').at(-1)! };
    },
  };
  return buckets;
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}
