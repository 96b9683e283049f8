import type { LexicalIndex, PreparedPostings } from '@semantic-memory/shared/ports/lexical-index';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { closeRedis, openRedis } from './connection.ts';
import { type LedgerAccess, readLedger, runLedgerScript } from './gate.ts';
import { ledgerKeys } from './keys.ts';
import { createLexicalCache } from './lexical-cache.ts';
import { readScript, restoreScript } from './lexical-scripts.ts';
import { createPostingsWriter } from './postings-writer.ts';

export interface RedisLexicalOptions {
  /** `redis://` or `rediss://`: the ledger's own. */
  readonly url: string;
  /** The ledger's. */
  readonly prefix: string;
  readonly logger?: Logger | undefined;
  /** Postings kept in this process, of all namespaces together. */
  readonly cacheBytes?: number;
}

const defaultCacheBytes = 128 * 1024 * 1024;

/**
 * Packed postings in Redis, kept in process: a query moves only what has been appended since it was last asked. See
 * docs/adr/0011-words-in-packed-postings.md.
 */
export function createRedisLexicalIndex(options: RedisLexicalOptions): LexicalIndex {
  const { url, prefix, logger, cacheBytes = defaultCacheBytes } = options;
  const redis = openRedis(url, { name: 'lexical', logger });
  const keys = ledgerKeys(prefix);
  const access: LedgerAccess = { redis, keys };
  const cache = createLexicalCache(cacheBytes);
  // A server that was started anew may have lost its last writes: what is known here may never have been.
  redis.on('ready', () => cache.forget());

  return {
    prepare: createPostingsWriter(access),

    async restore(scope, documentId, version, prepared) {
      const names = keys.namespace(scope);
      const { rows, lexicalState, lexicalLengths, lexicalDocuments, lexicalLog, lexicalClaims } = names;
      const done = await runLedgerScript(
        access,
        restoreScript,
        [rows, lexicalState, lexicalLengths, lexicalDocuments, lexicalLog, lexicalClaims],
        [documentId, ...switchArgs(version, prepared)],
      );
      return done === 1;
    },

    async versions(scope) {
      const found = await readLedger(access, () => redis.hgetall(keys.namespace(scope).lexicalDocuments));
      return new Map(Object.entries(found).map(([id, range]) => [id, Number(range.split(' ')[2])]));
    },

    async differs(scope) {
      const { rows, lexicalDocuments } = keys.namespace(scope);
      const [active, on] = await readLedger(access, () =>
        Promise.all([redis.hlen(rows), redis.hlen(lexicalDocuments)]),
      );
      return active !== on;
    },

    async count(scope) {
      return Number((await readLedger(access, () => redis.hget(keys.namespace(scope).lexicalState, 'n'))) ?? 0);
    },

    async read(scope, terms) {
      const names = keys.namespace(scope);
      const { head, rows, lexicalState, lexicalLog, lexicalLengths, lexicalDocuments, lexicalTerm } = names;
      const fixed = [head, lexicalState, lexicalLog, lexicalLengths, lexicalDocuments, rows];
      const lists = terms.map(lexicalTerm);
      for (;;) {
        const known = cache.known(head, lists);
        const answer = await runLedgerScript(
          access,
          readScript,
          [...fixed, ...lists],
          [known.epoch, known.ver, ...known.bytes],
          { bytes: true },
        );
        const postings = cache.take(head, lists, known.bytes, answer);
        // Undefined where another read has begun afresh meanwhile: what this one asked for no longer fits.
        if (postings) return postings;
      }
    },

    close: () => closeRedis(redis),
  };
}

/** What a script needs to switch postings on: base, count, version, words, packed lengths, claim. */
export function switchArgs(version: number, prepared: PreparedPostings): (string | number | Buffer)[] {
  const { base, lengths, claim } = prepared;
  const words = lengths.reduce((sum, length) => sum + length, 0);
  return [base, lengths.length, version, words, Buffer.from(Uint16Array.from(lengths).buffer), claim];
}
