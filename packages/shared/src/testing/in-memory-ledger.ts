import { MemoryError } from '../contracts/errors.ts';
import type { Scope } from '../contracts/model/ids.ts';
import { isTerminal } from '../contracts/model/job.ts';
import { assertTransition } from '../contracts/model/job-transitions.ts';
import * as documents from '../ports/document-transitions.ts';
import type {
  DocumentRow,
  JobEvent,
  JobRecord,
  Ledger,
  LedgerDocument,
  LedgerRecovery,
  Retired,
} from '../ports/ledger.ts';
import { sameJson } from '../ports/same-json.ts';
import type { InMemoryLexicalIndex } from './in-memory-lexical-index.ts';

interface StoredJob {
  job: JobRecord;
  readonly events: JobEvent[];
  readonly watchers: Set<() => void>;
}

interface NamespaceState {
  model: string;
  generation: number;
  incomplete: boolean;
  /** By document, with the generation in which the row last changed. */
  readonly rows: Map<string, { row: DocumentRow; generation: number }>;
}

const key = (...parts: string[]) => JSON.stringify(parts);

export interface InMemoryLedger extends Ledger, LedgerRecovery {
  /** Loses everything, as a server that was emptied: every call throws `rebuilding` until it was rebuilt. */
  wipe(): void;
  /** Takes the state back to what it was when `remember` was called, as a server that lost its last writes. */
  remember(): () => void;
}

/** A ledger in this process, for tests of what speaks to one. It passes the same suite as the real one. */
export function createInMemoryLedger(lexical?: InMemoryLexicalIndex): InMemoryLedger {
  let epoch: string = crypto.randomUUID();
  let isWhole = true;
  let isRebuilding = false;
  let starts = 1;
  let compared: string | undefined = String(starts);
  const jobs = new Map<string, StoredJob>();
  const batches = new Map<string, string[]>();
  const childIds = new Map<string, Set<string>>();
  const retiredAt = new Map<string, { readonly one: Retired; readonly atMs: number }>();
  const known = new Map<string, LedgerDocument>();
  const homes = new Map<string, string>();
  const versionCounters = new Map<string, number>();
  const namespaceStates = new Map<string, NamespaceState>();
  let lastEvent = 0;

  const record = (stored: StoredJob, job: JobRecord) => {
    lastEvent += 1;
    stored.job = job;
    stored.events.push({ id: `${lastEvent}-0`, job });
    for (const wake of [...stored.watchers]) wake();
  };
  const insertJob = (job: JobRecord) => {
    const stored: StoredJob = { job, events: [], watchers: new Set() };
    jobs.set(key(job.tenant, job.id), stored);
    record(stored, structuredClone(job));
  };
  const retire = (one: Retired, atMs: number) => {
    const id = key(one.kind, one.tenant, one.id);
    retiredAt.set(id, { one, atMs: Math.max(atMs, retiredAt.get(id)?.atMs ?? 0) });
  };
  const noteRow = (scope: Scope, documentId: string, row: DocumentRow | undefined) => {
    const state = namespaceStates.get(key(scope.tenant, scope.namespace));
    if (!state) throw new MemoryError('internal', `Namespace ${scope.namespace} was never reserved.`);
    const before = state.rows.get(documentId)?.row;
    const now = row ?? (before && documents.goneRow(documentId));
    if (!now || JSON.stringify(before) === JSON.stringify(now)) return;
    state.generation += 1;
    state.rows.set(documentId, { row: now, generation: state.generation });
  };
  const store = (document: LedgerDocument) => {
    known.set(key(document.tenant, document.documentId), structuredClone(document));
    noteRow(document, document.documentId, documents.rowOf(document));
  };
  const find = (scope: Scope, documentId: string) => {
    const document = known.get(key(scope.tenant, documentId));
    return document?.namespace === scope.namespace ? document : undefined;
  };
  const conflict = (documentId: string, namespace: string) =>
    new MemoryError('conflict', `Document ${documentId} belongs to namespace ${namespace}.`);

  lexical?.follow((scope) => {
    const rows = namespaceStates.get(key(scope.tenant, scope.namespace))?.rows.values() ?? [];
    return new Map(
      [...rows].flatMap(({ row }) => (row.activeVersion > 0 ? [[row.documentId, row.activeVersion] as const] : [])),
    );
  });

  const ledger: Ledger = {
    async reserveVersion(scope, documentId, model, atLeast = 1) {
      const id = key(scope.tenant, documentId);
      const home = homes.get(id);
      if (home !== undefined && home !== scope.namespace) throw conflict(documentId, home);
      homes.set(id, scope.namespace);
      const version = Math.max((versionCounters.get(id) ?? 0) + 1, atLeast);
      versionCounters.set(id, version);
      const namespaceKey = key(scope.tenant, scope.namespace);
      const state = namespaceStates.get(namespaceKey) ?? { model, generation: 0, incomplete: false, rows: new Map() };
      namespaceStates.set(namespaceKey, state);
      return { version, embeddingModel: state.model };
    },

    async createJob(job, version, described) {
      const id = key(job.tenant, job.documentId);
      if (jobs.has(key(job.tenant, job.id))) return;
      const home = homes.get(id);
      if (home !== undefined && home !== job.namespace) throw conflict(job.documentId, home);
      homes.set(id, job.namespace);
      versionCounters.set(id, Math.max(versionCounters.get(id) ?? 0, version.version));
      const document = documents.addVersion(known.get(id), job, version, described);
      if (document) known.set(id, structuredClone(document));
      insertJob(job);
    },

    async createParentJob(job) {
      if (!jobs.has(key(job.tenant, job.id))) insertJob(job);
    },

    async getJob(tenant, jobId) {
      return structuredClone(jobs.get(key(tenant, jobId))?.job);
    },

    async getJobs(tenant, jobIds) {
      return jobIds.flatMap((jobId) => {
        const stored = jobs.get(key(tenant, jobId));
        return stored ? [structuredClone(stored.job)] : [];
      });
    },

    async listJobs(tenant, query) {
      const matching = [...jobs.values()]
        .map((stored) => stored.job)
        .filter((job) => job.tenant === tenant)
        .filter((job) => query.state === undefined || job.state === query.state)
        .filter((job) => query.documentId === undefined || job.documentId === query.documentId)
        .filter((job) => query.namespace === undefined || job.namespace === query.namespace)
        .filter((job) => query.matches === undefined || query.matches(job));
      return page(matching, (job) => `${job.createdAt}|${job.id}`, query);
    },

    async updateJob(tenant, jobId, change) {
      const stored = jobs.get(key(tenant, jobId));
      if (!stored) return undefined;
      const next = change(structuredClone(stored.job));
      if (!next) return structuredClone(stored.job);
      assertTransition(stored.job, next);
      record(stored, structuredClone(next));
      return next;
    },

    async *watchJob(tenant, jobId, afterId, signal) {
      const stored = jobs.get(key(tenant, jobId));
      if (!stored) throw new MemoryError('not_found', `There is no job ${jobId}.`);
      let seen = Number(afterId?.split('-')[0] ?? 0) || 0;
      while (!signal.aborted) {
        const next = stored.events.find((event) => Number(event.id.split('-')[0]) > seen);
        if (next) {
          seen = Number(next.id.split('-')[0]);
          yield structuredClone(next);
        } else if (isTerminal(stored.job.state)) {
          return;
        } else {
          await nextChange(stored.watchers, signal);
        }
      }
    },

    async createBatch(tenant, batchId, jobIds, atMs) {
      if (!batches.has(key(tenant, batchId))) batches.set(key(tenant, batchId), [...jobIds]);
      retire({ kind: 'batch', tenant, id: batchId }, atMs);
    },
    async retire(tenant, kind, ids, atMs) {
      for (const id of ids) retire({ kind, tenant, id }, atMs);
    },
    async retired(untilMs, limit) {
      return [...retiredAt.values()]
        .filter(({ atMs }) => atMs <= untilMs)
        .sort((a, b) => a.atMs - b.atMs)
        .slice(0, limit)
        .map(({ one }) => one);
    },
    async forgetJob(tenant, jobId, job) {
      if (!sameJson(jobs.get(key(tenant, jobId))?.job, job)) return false;
      jobs.delete(key(tenant, jobId));
      childIds.delete(key(tenant, jobId));
      if (job?.parentJobId) childIds.get(key(tenant, job.parentJobId))?.delete(jobId);
      retiredAt.delete(key('job', tenant, jobId));
      return true;
    },
    async forgetBatch(tenant, batchId) {
      batches.delete(key(tenant, batchId));
      retiredAt.delete(key('batch', tenant, batchId));
    },
    async getBatch(tenant, batchId) {
      return structuredClone(batches.get(key(tenant, batchId)));
    },
    async addChild(tenant, parentJobId, childJobId) {
      const id = key(tenant, parentJobId);
      childIds.set(id, (childIds.get(id) ?? new Set()).add(childJobId));
    },
    async children(tenant, parentJobId) {
      return [...(childIds.get(key(tenant, parentJobId)) ?? [])];
    },

    async getDocument(tenant, documentId) {
      const document = known.get(key(tenant, documentId));
      return document && structuredClone(documents.documentRecord(document));
    },

    async listDocuments(tenant, query) {
      const matching = [...known.values()]
        .filter((document) => document.tenant === tenant)
        .filter((document) => query.namespace === undefined || document.namespace === query.namespace)
        .filter((document) => query.state === undefined || documents.documentState(document) === query.state)
        .map(documents.documentRecord);
      return page(matching, (document) => `${document.createdAt}|${document.documentId}`, query);
    },

    async patchDocument(tenant, documentId, patch, at) {
      const document = known.get(key(tenant, documentId));
      if (!document) return undefined;
      const next = documents.patchDocument(document, patch, at);
      store(next);
      return structuredClone(documents.documentRecord(next));
    },

    async describeVersion(scope, documentId, version, facts) {
      const document = find(scope, documentId);
      const next = document && documents.describeVersion(document, version, facts);
      if (next) store(next);
    },

    async activateVersion(scope, documentId, version, at, facts, postings, model) {
      const { document, ...answer } = documents.activateVersion(find(scope, documentId), version, at, facts);
      const { outcome } = answer;
      const has = namespaceStates.get(key(scope.tenant, scope.namespace))?.model;
      const isNew = document !== undefined || (outcome === 'activated' && postings !== undefined);
      if (isNew && model !== undefined && model !== has) return { outcome: 'other_model', previous: 0 };
      if (document) store(document);
      if (outcome === 'activated' && postings) lexical?.activate(scope, documentId, version, postings);
      return answer;
    },

    async forgetVersion(scope, documentId, version) {
      const document = find(scope, documentId);
      const next = document && documents.forgetVersion(document, version);
      if (next) store(next);
    },

    async failVersion(scope, documentId, version, _error, at) {
      const document = find(scope, documentId);
      const next = document && documents.failVersion(document, version, at);
      if (next) store(next);
    },

    async removeDocument(tenant, documentId) {
      const id = key(tenant, documentId);
      const document = known.get(id);
      homes.delete(id);
      if (!document) return undefined;
      known.delete(id);
      noteRow(document, documentId, undefined);
      const openJobIds = document.versions
        .map((version) => version.jobId)
        .filter((jobId) => !isTerminal(jobs.get(key(tenant, jobId))?.job.state ?? 'cancelled'));
      const postings = lexical?.deactivate(document, documentId) ?? 0;
      return { document: documents.documentRecord(document), openJobIds, postings };
    },

    async documentChanges(scope, cursor) {
      const state = namespaceStates.get(key(scope.tenant, scope.namespace));
      const [ofEpoch, since] = (cursor ?? '').split('.');
      const reset = ofEpoch !== epoch;
      const rows = [...(state?.rows.values() ?? [])]
        .filter((entry) => (reset ? entry.row.activeVersion > 0 : entry.generation > Number(since)))
        .map((entry) => structuredClone(entry.row));
      const indexIncomplete = state?.incomplete ?? false;
      return {
        reset,
        rows,
        cursor: `${epoch}.${state?.generation ?? 0}`,
        generation: `${epoch}.${state?.generation ?? 0}`,
        embeddingModel: state?.model,
        indexIncomplete,
      };
    },

    async namespaces(tenant) {
      return [...namespaceStates].flatMap(([id, state]) => {
        const [owner, namespace] = JSON.parse(id) as [string, string];
        return owner === tenant ? [{ namespace, embeddingModel: state.model }] : [];
      });
    },

    async embeddingModelOf(scope) {
      return namespaceStates.get(key(scope.tenant, scope.namespace))?.model;
    },

    async switchModel(scope, model, ifGeneration) {
      const namespaceKey = key(scope.tenant, scope.namespace);
      const state = namespaceStates.get(namespaceKey) ?? {
        model: '',
        generation: 0,
        incomplete: false,
        rows: new Map(),
      };
      if (state.model === model) return true;
      if (ifGeneration !== undefined && ifGeneration !== `${epoch}.${state.generation}`) return false;
      state.model = model;
      state.generation += 1;
      namespaceStates.set(namespaceKey, state);
      return true;
    },

    async openJobs(limit) {
      return [...jobs.values()]
        .map((stored) => stored.job)
        .filter((job) => !isTerminal(job.state))
        .sort((a, b) => (a.createdAt + a.id < b.createdAt + b.id ? -1 : 1))
        .slice(0, limit)
        .map((job) => ({ tenant: job.tenant, jobId: job.id }));
    },

    async tenants() {
      return [...new Set([...namespaceStates.keys()].map((id) => (JSON.parse(id) as [string])[0]))];
    },

    async reviseDocument(scope, documentId, embeddingModel, revise) {
      const id = key(scope.tenant, documentId);
      const home = homes.get(id);
      if (home !== undefined && home !== scope.namespace) throw conflict(documentId, home);
      const next = revise(structuredClone(find(scope, documentId)));
      if (!next) return false;
      homes.set(id, scope.namespace);
      versionCounters.set(id, Math.max(versionCounters.get(id) ?? 0, next.latestVersion));
      const namespaceKey = key(scope.tenant, scope.namespace);
      const fresh = { model: embeddingModel, generation: 0, incomplete: false, rows: new Map() };
      namespaceStates.set(namespaceKey, namespaceStates.get(namespaceKey) ?? fresh);
      store(next);
      return true;
    },

    async restoreJob(job) {
      if (jobs.has(key(job.tenant, job.id))) return false;
      insertJob(job);
      return true;
    },

    async withdrawVersion(scope, documentId, version, jobId) {
      const document = find(scope, documentId);
      const isThere = document?.versions.some((one) => one.version === version && one.jobId === jobId) ?? false;
      if (document && isThere && document.versions.length === 1) {
        homes.delete(key(scope.tenant, documentId));
        known.delete(key(scope.tenant, documentId));
        noteRow(scope, documentId, undefined);
      } else if (document && isThere) {
        const next = documents.withdrawVersion(document, version);
        if (next) store(next);
      }
      return jobs.delete(key(scope.tenant, jobId)) || isThere;
    },

    async countVersion(tenant, documentId, version) {
      const id = key(tenant, documentId);
      versionCounters.set(id, Math.max(versionCounters.get(id) ?? 0, version));
    },

    async markIndex(scope, state) {
      const found = namespaceStates.get(key(scope.tenant, scope.namespace));
      if (found) found.incomplete = state === 'incomplete';
    },

    async check() {},
    async checkWrites() {},
    async close() {},
  };

  const stores = [jobs, batches, childIds, retiredAt, known, homes, versionCounters, namespaceStates];
  return {
    ...refusing(ledger, () => isWhole),
    wipe() {
      lexical?.wipe();
      for (const stored of stores) stored.clear();
      epoch = crypto.randomUUID();
      starts += 1;
      compared = undefined;
      isWhole = false;
    },
    remember() {
      const before = stores.map((stored) => [...stored].map((entry) => structuredCloneable(entry)));
      return () => {
        stores.forEach((stored, at) => {
          stored.clear();
          for (const [id, value] of before[at] ?? []) (stored as Map<unknown, unknown>).set(id, value);
        });
        epoch = crypto.randomUUID();
        starts += 1;
      };
    },
    isWhole: async () => isWhole,
    async rebuildOnce(rebuild) {
      if (isWhole || isRebuilding) return false;
      isRebuilding = true;
      try {
        await rebuild(ledger, new AbortController().signal);
        isWhole = true;
        return true;
      } finally {
        isRebuilding = false;
      }
    },
    serverStart: async () => String(starts),
    comparedStart: async () => compared,
    isCompared: async () => compared === String(starts),
    async markCompared(start) {
      compared = start;
    },
  };
}

/** The ledger for everybody but the one who rebuilds it. */
function refusing(ledger: Ledger, isWhole: () => boolean): Ledger {
  const assertWhole = () => {
    if (!isWhole()) throw new MemoryError('rebuilding', 'The ledger is not whole.');
  };
  const calls = Object.entries(ledger).map(([name, call]: [string, (...args: unknown[]) => unknown]) => {
    if (name === 'close') return [name, call];
    if (name !== 'watchJob') {
      return [
        name,
        async (...args: unknown[]) => {
          assertWhole();
          return call(...args);
        },
      ];
    }
    return [
      name,
      async function* (...args: unknown[]) {
        assertWhole();
        yield* call(...args) as AsyncIterable<unknown>;
      },
    ];
  });
  // Each call has the type of the one that it stands for.
  return Object.fromEntries(calls) as Ledger;
}

/** A copy of what is stored; watchers are nobody's any more. */
function structuredCloneable([id, value]: readonly [unknown, unknown]): [unknown, unknown] {
  const watched = value as Partial<StoredJob> | undefined;
  if (watched?.watchers === undefined) return [id, structuredClone(value)];
  return [id, { ...structuredClone({ job: watched.job, events: watched.events }), watchers: new Set() }];
}

/** Newest first, from the one after the cursor. */
function page<Item>(
  items: readonly Item[],
  orderOf: (item: Item) => string,
  query: { limit: number; cursor?: string | undefined },
): { items: Item[]; nextCursor?: string } {
  const { cursor } = query;
  const rest = items
    .map((item) => ({ item, order: orderOf(item) }))
    .filter(({ order }) => cursor === undefined || order < cursor)
    .sort((a, b) => (a.order < b.order ? 1 : -1));
  const taken = rest.slice(0, query.limit);
  const last = taken.at(-1);
  return {
    items: taken.map(({ item }) => structuredClone(item)),
    ...(last && rest.length > taken.length ? { nextCursor: last.order } : {}),
  };
}

function nextChange(watchers: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      watchers.delete(done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    watchers.add(done);
    signal.addEventListener('abort', done);
  });
}
