import type { Scope } from '@semantic-memory/shared/contracts/model/ids';
import type { LexicalIndex, PreparedPostings } from '@semantic-memory/shared/ports/lexical-index';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { pointTask, rangesOf, rankingOf, rankingTask } from '@semantic-memory/shared/search/lexical/rank-postings';
import { termRules } from '@semantic-memory/shared/search/lexical/terms';
import { closeRedis, openRedis } from './connection.ts';
import { type LedgerAccess, readLedger, runLedgerScript } from './gate.ts';
import { ledgerKeys } from './keys.ts';
import { createLexicalCache, type KnownPostings } from './lexical-cache.ts';
import { createScorer } from './lexical-scorer.ts';
import { markCurrentScript, readScript, restoreScript } from './lexical-scripts.ts';
import { createCompactor } from './postings-compactor.ts';
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
  const redis = openRedis(url, { name: 'lexical', prefix, logger });
  const keys = ledgerKeys(prefix);
  const access: LedgerAccess = { redis, keys };
  const scorer = createScorer(logger);
  const cache = createLexicalCache(cacheBytes, scorer.dropped);
  const inTurn = createTurns();
  // Of documents that were named, where they lie: as long as the caller has the same in hand, and nothing changed.
  const known = new WeakMap<object, { readonly state: string; readonly ranges: Uint32Array }>();
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
      const ranges = Object.entries(found).map(([id, range]) => ({ id, numbers: range.split(' ').map(Number) }));
      const current = ranges.filter(({ numbers }) => numbers[4] === termRules);
      return new Map(current.map(({ id, numbers }) => [id, numbers[2]!]));
    },

    async differs(scope) {
      const { rows, lexicalDocuments, lexicalState } = keys.namespace(scope);
      const [active, on, rules] = await readLedger(access, () =>
        Promise.all([redis.hlen(rows), redis.hlen(lexicalDocuments), redis.hget(lexicalState, 'rules')]),
      );
      return active !== on || (on > 0 && Number(rules) !== termRules);
    },

    async markCurrent(scope) {
      await runLedgerScript(access, markCurrentScript, [keys.namespace(scope).lexicalState], [termRules]);
    },

    async count(scope) {
      return Number((await readLedger(access, () => redis.hget(keys.namespace(scope).lexicalState, 'n'))) ?? 0);
    },

    read: (scope, terms) => readThen(scope, terms, async (postings) => postings),

    rank: (scope, query) =>
      readThen(scope, query.terms.map(termOf), async (postings) => {
        const ranges = query.documents && (await rangesFor(postings, query.documents));
        const result = await scorer.score(rankingTask(postings, query, ranges, postings.frequencies));
        postings.remember(result.frequencies);
        return rankingOf(postings, result);
      }),

    score: async (scope, terms, chunks) => {
      if (chunks.length === 0) return [];
      return readThen(scope, terms.map(termOf), async (postings) => {
        const { task, scoresOf } = pointTask(postings, terms, chunks, postings.frequencies);
        const result = await scorer.score(task);
        postings.remember(result.frequencies);
        return scoresOf(result);
      });
    },

    compact: createCompactor(access, logger),

    close: async () => {
      await Promise.all([closeRedis(redis), scorer.close()]);
    },
  };

  /** Brings the copy up to date and works on it; one after the other in a namespace, since the copy is changed in place. */
  async function readThen<Result>(
    scope: Scope,
    terms: readonly string[],
    work: (postings: KnownPostings) => Promise<Result>,
  ): Promise<Result> {
    const names = keys.namespace(scope);
    const { head, rows, lexicalState, lexicalLog, lexicalLengths, lexicalDocuments, postingsOf } = names;
    const fixed = [head, lexicalState, lexicalLog, lexicalLengths, lexicalDocuments, rows];
    const places = terms.map(postingsOf);
    const lists = places.map(({ list }) => list);
    const termKeys = places.flatMap(({ list, shelf }) => [list, shelf]);
    for (;;) {
      const before = cache.known(head, lists);
      const termArgs = before.lists.flatMap(({ bytes, last }, at) => [places[at]!.field, bytes, last]);
      const answer = await runLedgerScript(
        access,
        readScript,
        [...fixed, ...termKeys],
        [before.epoch, before.ver, termRules, ...termArgs],
        { bytes: true },
      );
      const done = await inTurn(head, async () => {
        const postings = cache.take(head, lists, before.lists, answer);
        return postings && { result: await work(postings) };
      });
      // Undefined where another read has changed meanwhile what this one built on.
      if (done) return done.result;
    }
  }

  async function rangesFor(postings: KnownPostings, documents: ReadonlySet<string>): Promise<Uint32Array> {
    const before = known.get(documents);
    if (before?.state === postings.state) return before.ranges;
    const ranges = await rangesOf(postings, documents);
    known.set(documents, { state: postings.state, ranges });
    return ranges;
  }
}

const termOf = ({ term }: { readonly term: string }) => term;

/** Runs what has the same key one after the other, in the order in which it came. */
function createTurns() {
  const last = new Map<string, Promise<unknown>>();
  return async <Result>(key: string, work: () => Promise<Result>): Promise<Result> => {
    const before = last.get(key);
    const own = before ? before.then(work, work) : work();
    last.set(key, own);
    try {
      return await own;
    } finally {
      if (last.get(key) === own) last.delete(key);
    }
  };
}

/** What a script needs to switch postings on: base, count, version, words, packed lengths, claim, rules. */
export function switchArgs(version: number, prepared: PreparedPostings): (string | number | Buffer)[] {
  const { base, lengths, claim, rules } = prepared;
  const words = lengths.reduce((sum, length) => sum + length, 0);
  return [base, lengths.length, version, words, Buffer.from(Uint16Array.from(lengths).buffer), claim, rules];
}
