import type { Scope } from '../contracts/model/ids.ts';
import { type LexicalIndex, maxFrequency, type PreparedPostings } from '../ports/lexical-index.ts';
import { pointTask, rankPostings } from '../search/lexical/rank-postings.ts';
import { scorePostings } from '../search/lexical/score-postings.ts';
import { termRules } from '../search/lexical/terms.ts';

/** What a ledger in the same memory switches on and off together with a version. */
export interface InMemoryLexicalIndex extends LexicalIndex {
  activate(scope: Scope, documentId: string, version: number, prepared: PreparedPostings): void;
  /** Told by that ledger: the active versions of a namespace, by document. */
  follow(active: (scope: Scope) => ReadonlyMap<string, number>): void;
  /** Forgets everything, as a server that was emptied. */
  wipe(): void;
  /** Says how many chunks that were. */
  deactivate(scope: Scope, documentId: string): number;
}

interface Namespace {
  next: number;
  readonly lists: Map<string, number[]>;
  readonly lengths: number[];
  /** Ranges that were written and not switched on so far: base → chunks. */
  readonly claims: Map<number, number>;
  readonly documents: Map<string, { base: number; count: number; version: number; rules: number }>;
}

export function createInMemoryLexicalIndex(): InMemoryLexicalIndex {
  let activeOf: (scope: Scope) => ReadonlyMap<string, number> = () => new Map();
  const namespaces = new Map<string, Namespace>();
  const of = ({ tenant, namespace }: Scope): Namespace => {
    const id = JSON.stringify([tenant, namespace]);
    const known = namespaces.get(id) ?? {
      next: 0,
      lists: new Map(),
      lengths: [],
      claims: new Map(),
      documents: new Map(),
    };
    namespaces.set(id, known);
    return known;
  };

  const isCurrent = ([, { rules }]: [unknown, { rules: number }]) => rules === termRules;
  const isWhole = (scope: Scope) => {
    const { documents } = of(scope);
    return activeOf(scope).size === documents.size && [...documents].every(isCurrent);
  };

  const index: InMemoryLexicalIndex = {
    async prepare(scope, chunks) {
      const space = of(scope);
      const base = space.next;
      space.next += chunks.length;
      space.claims.set(base, chunks.length);
      chunks.forEach(({ terms }, at) => {
        space.lengths[base + at] = 0;
        for (const [term, frequency] of terms) {
          const list = space.lists.get(term) ?? [];
          list.push((base + at) * 32 + Math.min(frequency, maxFrequency));
          space.lists.set(term, list);
        }
      });
      return { base, lengths: chunks.map(({ length }) => length), claim: String(base), rules: termRules };
    },
    activate(scope, documentId, version, { base, lengths, rules }) {
      const space = of(scope);
      if (space.documents.get(documentId)?.base === base) return;
      index.deactivate(scope, documentId);
      space.claims.delete(base);
      lengths.forEach((length, at) => {
        space.lengths[base + at] = length;
      });
      space.documents.set(documentId, { base, count: lengths.length, version, rules });
    },
    follow(active) {
      activeOf = active;
    },
    wipe: () => namespaces.clear(),
    deactivate(scope, documentId) {
      const space = of(scope);
      const range = space.documents.get(documentId);
      if (!range) return 0;
      space.lengths.fill(0, range.base, range.base + range.count);
      space.documents.delete(documentId);
      return range.count;
    },
    async restore(scope, documentId, version, prepared) {
      if (activeOf(scope).get(documentId) !== version) return false;
      index.activate(scope, documentId, version, prepared);
      return true;
    },
    versions: async (scope) =>
      new Map([...of(scope).documents].filter(isCurrent).map(([id, { version }]) => [id, version])),
    differs: async (scope) => !isWhole(scope),
    // Each document says it here.
    markCurrent: async () => {},
    count: async (scope) => of(scope).lengths.filter((length) => length > 0).length,
    async read(scope, terms) {
      const { lengths, lists, documents } = of(scope);
      return {
        count: lengths.filter((length) => length > 0).length,
        whole: isWhole(scope),
        totalLength: lengths.reduce((sum, length) => sum + length, 0),
        lengths: Uint16Array.from(lengths),
        lists: terms.map((term) => Uint32Array.from(lists.get(term) ?? [])),
        addressOf: (ordinal) => {
          for (const [documentId, { base, count, version }] of documents) {
            if (ordinal >= base && ordinal < base + count) return { documentId, version, index: ordinal - base };
          }
          return undefined;
        },
        rangeOf: (documentId) => documents.get(documentId),
      };
    },
    rank: async (scope, query) =>
      rankPostings(
        await index.read(
          scope,
          query.terms.map(({ term }) => term),
        ),
        query,
      ),
    async score(scope, terms, chunks) {
      const postings = await index.read(
        scope,
        terms.map(({ term }) => term),
      );
      const { task, scoresOf } = pointTask(postings, terms, chunks);
      return scoresOf(scorePostings(task));
    },
    async compact(scopes) {
      let lists = 0;
      let dropped = 0;
      for (const scope of scopes) {
        const { claims, lengths, ...space } = of(scope);
        const isClaimed = (ordinal: number) =>
          [...claims].some(([base, count]) => ordinal >= base && ordinal < base + count);
        for (const [term, list] of space.lists) {
          const kept = list.filter((posting) => lengths[posting >>> 5] || isClaimed(posting >>> 5));
          if (kept.length === list.length) continue;
          space.lists.set(term, kept);
          lists += 1;
          dropped += list.length - kept.length;
        }
      }
      return { lists, dropped, done: true };
    },
    close: async () => {},
  };
  return index;
}
