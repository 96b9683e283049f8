import { randomBytes } from 'node:crypto';
import { setImmediate as otherWork } from 'node:timers/promises';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { Scope } from '@semantic-memory/shared/contracts/model/ids';
import { type LexicalEntry, maxFrequency, type PreparedPostings } from '@semantic-memory/shared/ports/lexical-index';
import { termRules } from '@semantic-memory/shared/search/lexical/terms';
import { type LedgerAccess, runLedgerScript } from './gate.ts';
import { appendScript, claimScript } from './lexical-scripts.ts';
import { newClaim } from './live-ordinals.ts';

/** Lists that one script appends to: it keeps the server for less than a millisecond. */
const listsPerScript = 200;
/** Chunks that are written together; a version with more goes by itself. */
const chunksPerGroup = 256;

/** Ordinals of a namespace: a posting has 27 bits for one, and with another it would be that of somebody else's chunk. */
const mostOrdinals = 2 ** 27;

type Chunks = readonly LexicalEntry[];

interface Waiting {
  readonly chunks: Chunks;
  readonly resolve: (prepared: PreparedPostings) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes postings, those of several versions of a namespace together where they come at the same time: short texts
 * share most of their words, so that each list is appended to once for all of them. Every version still has a range of
 * ordinals and a claim of its own, and is switched on by itself.
 */
export function createPostingsWriter(access: LedgerAccess) {
  const namespaces = new Map<string, Waiting[]>();

  async function writeWaiting(id: string, scope: Scope, waiting: Waiting[]): Promise<void> {
    while (waiting.length > 0) {
      // Whoever waited for the same write to the index comes in the same turn of the event loop.
      await otherWork();
      const group = takeGroup(waiting);
      try {
        const prepared = await write(
          access,
          scope,
          group.map(({ chunks }) => chunks),
        );
        for (const [at, { resolve }] of group.entries()) resolve(prepared[at] as PreparedPostings);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    namespaces.delete(id);
  }

  return async function prepare(scope: Scope, chunks: Chunks): Promise<PreparedPostings> {
    if (chunks.length >= chunksPerGroup) return (await write(access, scope, [chunks]))[0] as PreparedPostings;
    return new Promise((resolve, reject) => {
      const id = JSON.stringify([scope.tenant, scope.namespace]);
      const waiting = namespaces.get(id);
      const mine = { chunks, resolve, reject };
      if (waiting) {
        waiting.push(mine);
        return;
      }
      const opened = [mine];
      namespaces.set(id, opened);
      void writeWaiting(id, scope, opened);
    });
  };
}

function takeGroup(waiting: Waiting[]): Waiting[] {
  let count = 0;
  const end = waiting.findIndex(({ chunks }) => {
    count += chunks.length;
    return count > chunksPerGroup;
  });
  return waiting.splice(0, end < 0 ? waiting.length : Math.max(1, end));
}

/** Redis has forgotten postings between their being written and being switched on; writing them again helps. */
export function postingsLost(): MemoryError {
  return new MemoryError('dependency_unavailable', 'Redis has lost postings that were just written.');
}

function noOrdinalsLeft(): MemoryError {
  return new MemoryError('internal', `The namespace has had ${mostOrdinals} passages: words can find no more.`, {
    hint: 'Export the namespace and import it as a new one, whose passages are counted anew.',
    retry: { kind: 'never' },
  });
}

/** Writes the postings of several versions; all or none of them may be switched on. */
async function write(access: LedgerAccess, scope: Scope, versions: readonly Chunks[]): Promise<PreparedPostings[]> {
  const { lexicalState, lexicalClaims, postingsOf } = access.keys.namespace(scope);
  const claim = newClaim(randomBytes(8).toString('base64url'), Date.now());
  const counts = versions.map((chunks) => chunks.length);
  const first = Number(
    await runLedgerScript(access, claimScript, [lexicalState, lexicalClaims], [claim, termRules, ...counts]),
  );
  if (first + counts.reduce((sum, count) => sum + count, 0) > mostOrdinals) throw noOrdinalsLeft();
  const lists = new Map<string, number[]>();
  let ordinal = first;
  const prepared = versions.map((chunks): PreparedPostings => {
    const base = ordinal;
    for (const { terms } of chunks) {
      for (const [term, frequency] of terms) {
        const posting = ordinal * 32 + Math.min(frequency, maxFrequency);
        const list = lists.get(term);
        if (list) list.push(posting);
        else lists.set(term, [posting]);
      }
      ordinal += 1;
    }
    return { base, lengths: chunks.map(({ length }) => length), claim, rules: termRules };
  });
  const all = [...lists];
  for (let from = 0; from < all.length; from += listsPerScript) {
    const slice = all.slice(from, from + listsPerScript).map(([term, postings]) => ({ ...postingsOf(term), postings }));
    // Never sent again by itself: a list that was appended to twice would count its terms twice.
    const appended = await runLedgerScript(
      access,
      appendScript,
      [lexicalClaims, ...slice.flatMap(({ list, shelf }) => [list, shelf])],
      [first, claim, ...slice.flatMap(({ field, postings }) => [field, packed(postings)])],
    );
    if (appended !== 1) throw postingsLost();
  }
  return prepared;
}

const packed = (postings: readonly number[]): Buffer => Buffer.from(Uint32Array.from(postings).buffer);
