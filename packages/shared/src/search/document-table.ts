import type { Scope } from '../contracts/model/ids.ts';
import type { DocumentRow, Ledger } from '../ports/ledger.ts';

/** A namespace's active documents as of a moment that is not before the refresh that gave it. Later refreshes update it in place. */
export interface NamespaceTable {
  /** By documentId; only documents with an active version. */
  readonly rows: ReadonlyMap<string, DocumentRow>;
  /** Moves whenever a row does. */
  readonly revision: number;
  /** Names this state of the documents, to all processes alike. */
  readonly generation: string;
  /** Undefined where nothing was ever accepted. */
  readonly embeddingModel: string | undefined;
  /** The index is known to lack chunks, which are being brought back. */
  readonly indexIncomplete: boolean;
}

export interface DocumentTable {
  /**
   * The table with every change that the ledger knew when this was called.
   * @throws MemoryError `dependency_unavailable` where the ledger is away: nothing could be vouched for.
   */
  refresh(scope: Scope): Promise<NamespaceTable>;
}

class Entry implements NamespaceTable {
  rows = new Map<string, DocumentRow>();
  revision = 0;
  generation = '';
  embeddingModel: string | undefined;
  indexIncomplete = false;
  cursor: string | undefined;
  /** The refresh under way, and the one that starts after it. */
  current: Promise<void> | undefined;
  next: Promise<void> | undefined;
}

/**
 * Keeps a copy of each namespace's documents in this process, brought up to date by one call of the ledger a search.
 * Requests share a refresh only where it began after they did: one that is already under way may have read the ledger
 * before a change that the request's sender was told of.
 *
 * @param options.maxNamespaces how many namespaces are kept (least recently used go first); the others cost a full read.
 */
export function createDocumentTable(options: {
  ledger: Pick<Ledger, 'documentChanges'>;
  maxNamespaces?: number;
}): DocumentTable {
  const { ledger, maxNamespaces = 200 } = options;
  const entries = new Map<string, Entry>();

  function entryOf(scope: Scope): Entry {
    // A tenant may hold any character, so the pair is encoded, not joined.
    const key = JSON.stringify([scope.tenant, scope.namespace]);
    const entry = entries.get(key) ?? new Entry();
    entries.delete(key);
    entries.set(key, entry);
    const oldest = entries.keys().next();
    if (entries.size > maxNamespaces && !oldest.done) entries.delete(oldest.value);
    return entry;
  }

  async function pull(entry: Entry, scope: Scope): Promise<void> {
    const changes = await ledger.documentChanges(scope, entry.cursor);
    if (changes.reset) entry.rows = new Map();
    for (const row of changes.rows) {
      if (row.activeVersion > 0) entry.rows.set(row.documentId, row);
      else entry.rows.delete(row.documentId);
    }
    if (changes.reset || changes.rows.length > 0) entry.revision += 1;
    entry.cursor = changes.cursor;
    entry.generation = changes.generation;
    entry.embeddingModel = changes.embeddingModel;
    entry.indexIncomplete = changes.indexIncomplete ?? false;
  }

  function start(entry: Entry, scope: Scope): Promise<void> {
    entry.current = pull(entry, scope).finally(() => {
      entry.current = undefined;
    });
    return entry.current;
  }

  function afterCurrent(entry: Entry, scope: Scope): Promise<void> {
    const begin = () => {
      entry.next = undefined;
      // Another may have begun one in the moment since the current one ended: too early for some of those who wait here.
      return entry.current ? afterCurrent(entry, scope) : start(entry, scope);
    };
    // A refresh that failed is its own callers' business; this one asks again.
    entry.next ??= (entry.current as Promise<void>).then(begin, begin);
    return entry.next;
  }

  return {
    async refresh(scope) {
      const entry = entryOf(scope);
      await (entry.current ? afterCurrent(entry, scope) : start(entry, scope));
      return entry;
    },
  };
}
