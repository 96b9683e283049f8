import { randomBytes } from 'node:crypto';
import type { Scope } from '@semantic-memory/shared/contracts/model/ids';
import type { Compaction, CompactOptions } from '@semantic-memory/shared/ports/lexical-index';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { compactedScript, dropClaimScript, snapshotScript, swapScript, unlockScript } from './compaction-scripts.ts';
import { withRedis } from './connection.ts';
import { type LedgerAccess, readLedger, runLedgerScript } from './gate.ts';
import { isStale, keptOf, liveOrdinals } from './live-ordinals.ts';

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
/** Lists that are read and written in one go. */
const listsAtOnce = 32;

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

/** What is known of a namespace while a call goes on. */
interface Snapshot {
  readonly serverStart: string;
  readonly epoch: string;
  readonly live: Uint8Array;
}

interface Due extends PassNamespace {
  readonly snapshot: Snapshot;
}

/** Redis came back without its last writes, or was emptied: what was read says nothing any more. */
class StoreChanged extends Error {}

/**
 * Rewrites lists of postings without what can never be seen (again). One walk over all keys serves all namespaces that
 * are worth it; its place is kept in Redis. A list is replaced in one step, by what is kept of the bytes that were read
 * and whatever was appended since. Readers notice by the bytes that they know.
 */
export function createCompactor(access: LedgerAccess, logger?: Logger) {
  const { redis, keys } = access;
  const read = <Result>(command: () => Promise<Result>) => readLedger(access, command);

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
      const [next = 0, active = 0, compactedNext = 0, compactedDead = 0] = values.map(Number);
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
      const { lexicalTerms } = keys.namespace(namespace.scope);
      due.set(lexicalTerms, { ...namespace, snapshot: await snapshotOf(namespace.scope) });
    }
    let { cursor } = pass;
    let lists = 0;
    let dropped = 0;
    do {
      const [next, found] = await read(() => redis.scan(cursor, 'MATCH', pattern(keys.root), 'COUNT', scanCount));
      for (const [prefix, own] of Map.groupBy(found, (key) => key.slice(0, key.lastIndexOf(':') + 1))) {
        const namespace = due.get(prefix);
        if (!namespace) continue;
        for (let at = 0; at < own.length; at += listsAtOnce) {
          const done = await rewrite(namespace, own.slice(at, at + listsAtOnce));
          lists += done.lists;
          dropped += done.dropped;
        }
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

  async function rewrite({ scope, grown, snapshot }: Due, lists: readonly string[]) {
    const contents = await read(() => Promise.all(lists.map((list) => redis.getBuffer(list))));
    const swapped: string[] = [];
    const args: (string | number | Buffer)[] = [];
    for (const [at, list] of lists.entries()) {
      const bytes = contents[at];
      if (!bytes || bytes.length === 0) continue;
      const postings = new Uint32Array(copied(bytes));
      const kept = keptOf(postings, snapshot.live);
      if (kept.length === postings.length && !grown) continue;
      swapped.push(list);
      args.push(bytes.length, bytes.subarray(-4), Buffer.from(kept.buffer));
    }
    if (swapped.length === 0) return { lists: 0, dropped: 0 };
    const { head } = keys.namespace(scope);
    const same = [snapshot.serverStart, snapshot.epoch];
    const answer = await runLedgerScript(access, swapScript, [head, ...swapped], [...same, ...args]);
    const [written, freed] = answer as [number, number];
    if (written === -1) throw new StoreChanged();
    return { lists: written, dropped: freed / 4 };
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

/** In memory of its own, at the place that numbers of several bytes need. */
const copied = (bytes: Buffer): ArrayBuffer => new Uint8Array(bytes).buffer;

/** Lists of all namespaces. */
const pattern = (root: string): string => `${root.replaceAll(/[*?[\]\\]/g, '\\$&')}*:lx:t:*`;
