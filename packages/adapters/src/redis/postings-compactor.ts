import { randomBytes } from 'node:crypto';
import type { Scope } from '@semantic-memory/shared/contracts/model/ids';
import type { Compaction, CompactOptions } from '@semantic-memory/shared/ports/lexical-index';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { compactedScript, dropClaimScript, snapshotScript, unlockScript } from './compaction-scripts.ts';
import { withRedis } from './connection.ts';
import { type LedgerAccess, readLedger, runLedgerScript } from './gate.ts';
import { lexicalKinds } from './keys.ts';
import { isStale, liveOrdinals } from './live-ordinals.ts';
import { copied, createRewriter, type Rewritten, type Snapshot, StoreChanged } from './postings-rewriter.ts';

/** Compacting is worth it where ordinals that died since the last time are this share of the active ones, */
const leastDeadShare = 0.2;
/** or where so many were given out since, compared with before: a list that grows has room to spare. */
const leastGrowth = 0.5;
/** Below so many it never is. */
const leastOrdinals = 2000;
/** Of one call. */
const workMs = 2000;
/** How long the lock outlives a process that is gone. */
const lockMs = 60_000;
/** Keys that one step of the walk looks at. */
const scanCount = 1000;

/** A walk over all lists, which takes several calls. */
interface Pass {
  /** Where the walk goes on. */
  readonly cursor: string;
  readonly namespaces: readonly PassNamespace[];
}

interface PassNamespace {
  readonly scope: Scope;
  /** Ordinals that had been given out when the pass began, and of these not active. */
  readonly next: number;
  readonly dead: number;
  /** Whether lists are written anew also where nothing is to be dropped: they have grown. */
  readonly grown: boolean;
}

interface Due extends PassNamespace {
  readonly snapshot: Snapshot;
}

/**
 * Rewrites lists of postings without what can never be seen (again). One walk over all keys serves all namespaces that
 * are worth it; its place is kept in Redis. A list is replaced in one step, by what is kept of the bytes that were read
 * and whatever was appended since. Readers notice by the bytes that they know.
 */
export function createCompactor(access: LedgerAccess, logger?: Logger) {
  const { redis, keys } = access;
  const read = <Result>(command: () => Promise<Result>) => readLedger(access, command);
  const rewrite = createRewriter(access);

  async function compact(
    scopes: readonly Scope[],
    { always = false, signal }: CompactOptions = {},
  ): Promise<Compaction> {
    const token = randomBytes(16).toString('hex');
    const locked = await withRedis(redis, () => redis.set(keys.compactor, token, 'PX', lockMs, 'NX'));
    if (locked === null) return { lists: 0, dropped: 0, done: false };
    try {
      const pass = (await storedPass()) ?? (await begin(scopes, always));
      return pass ? await walk(pass, signal) : { lists: 0, dropped: 0, done: true };
    } catch (error) {
      if (!(error instanceof StoreChanged)) throw error;
      logger?.info('postings are compacted from the start: Redis is not what it was');
      await withRedis(redis, () => redis.del(keys.compaction));
      return { lists: 0, dropped: 0, done: false };
    } finally {
      // Runs out by itself where Redis is away.
      await runLedgerScript(access, unlockScript, [keys.compactor], [token]).catch((error: unknown) =>
        logger?.debug('the lock of the compaction runs out by itself', { error }),
      );
    }
  }

  async function storedPass(): Promise<Pass | undefined> {
    const text = await read(() => redis.get(keys.compaction));
    return text === null ? undefined : (JSON.parse(text) as Pass);
  }

  async function begin(scopes: readonly Scope[], always: boolean): Promise<Pass | undefined> {
    const namespaces: PassNamespace[] = [];
    for (const scope of scopes) {
      const { lexicalState } = keys.namespace(scope);
      const values = await read(() => redis.hmget(lexicalState, 'next', 'n', 'compactedNext', 'compactedDead'));
      const [next, active, compactedNext, compactedDead] = values.map(Number) as [number, number, number, number];
      const dead = next - active;
      const died = dead - compactedDead;
      const grown = next - compactedNext >= Math.max(leastOrdinals, compactedNext * leastGrowth);
      const isDue = grown || died >= Math.max(leastOrdinals, active * leastDeadShare);
      if (next > 0 && (always || isDue)) namespaces.push({ scope, next, dead, grown: grown || always });
    }
    return namespaces.length > 0 ? { cursor: '0', namespaces } : undefined;
  }

  /** Goes on with a pass until its end, or until the time is over. */
  async function walk(pass: Pass, signal: AbortSignal | undefined): Promise<Compaction> {
    const until = Date.now() + workMs;
    const due = new Map<string, Due>();
    for (const namespace of pass.namespaces) {
      const { lexical } = keys.namespace(namespace.scope);
      due.set(lexical, { ...namespace, snapshot: await snapshotOf(namespace.scope) });
    }
    let { cursor } = pass;
    let lists = 0;
    let dropped = 0;
    do {
      const [next, found] = await read(() => redis.scan(cursor, 'MATCH', pattern(keys.root), 'COUNT', scanCount));
      for (const [place, own] of Map.groupBy(found, placeOf)) {
        const done = await workOn(place, own, due);
        lists += done.lists;
        dropped += done.dropped;
      }
      cursor = next;
      if (cursor === '0') break;
      await withRedis(redis, () => redis.set(keys.compaction, JSON.stringify({ ...pass, cursor })));
    } while (Date.now() < until && !signal?.aborted);
    const done = cursor === '0';
    if (done) await finish([...due.values()]);
    return { lists, dropped, done };
  }

  async function snapshotOf(scope: Scope): Promise<Snapshot> {
    const { head, lexicalState, lexicalLengths, lexicalClaims } = keys.namespace(scope);
    for (const [base, claim] of Object.entries(await read(() => redis.hgetall(lexicalClaims)))) {
      if (isStale(claim, Date.now())) await runLedgerScript(access, dropClaimScript, [lexicalClaims], [base, claim]);
    }
    const answer = await runLedgerScript(
      access,
      snapshotScript,
      [head, lexicalState, lexicalLengths, lexicalClaims],
      [],
      {
        bytes: true,
      },
    );
    const [serverStart, epoch, next, lengths, claims] = answer as [Buffer, Buffer, Buffer, Buffer, Buffer[]];
    const bases = claims.filter((_, at) => at % 2 === 0).map((base) => Number(String(base)));
    const live = liveOrdinals(Number(String(next)), new Uint16Array(copied(lengths)), bases);
    return { serverStart: String(serverStart), epoch: String(epoch), live };
  }

  async function workOn(place: string, own: readonly string[], due: ReadonlyMap<string, Due>): Promise<Rewritten> {
    const [root, kind] = [place.slice(0, -2), place.at(-2)];
    const namespace = due.get(root);
    if (kind === lexicalKinds.old) await withRedis(redis, () => redis.unlink(...own));
    else if (namespace) return rewrite(namespace, kind === lexicalKinds.list ? 'lists' : 'shelves', own);
    return { lists: 0, dropped: 0 };
  }

  async function finish(namespaces: readonly Due[]): Promise<void> {
    for (const { scope, next, dead, snapshot } of namespaces) {
      const { head, lexicalState } = keys.namespace(scope);
      await runLedgerScript(access, compactedScript, [head, lexicalState], [snapshot.epoch, next, dead]);
    }
    await withRedis(redis, () => redis.del(keys.compaction));
  }

  return compact;
}

/** What the key of postings begins with: the namespace's root, and `KIND:`. */
const placeOf = (key: string): string => key.slice(0, key.lastIndexOf(':') + 1);

/** Postings of all namespaces. */
const pattern = (root: string): string =>
  `${root.replaceAll(/[*?[\]\\]/g, '\\$&')}*:lx:[${Object.values(lexicalKinds).join('')}]:*`;
