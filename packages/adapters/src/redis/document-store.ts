import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { Scope } from '@semantic-memory/shared/contracts/model/ids';
import { isTerminal } from '@semantic-memory/shared/contracts/model/job';
import * as documents from '@semantic-memory/shared/ports/document-transitions';
import type { JobRecord, Ledger, LedgerDocument } from '@semantic-memory/shared/ports/ledger';
import { newEpoch, removeDocumentScript, reserveVersionScript, saveDocumentScript } from './document-scripts.ts';
import { type LedgerAccess, readLedger, readLedgerAtLength, runLedgerScript } from './gate.ts';
import { withdrawJob } from './job-store.ts';
import type { LedgerKeys } from './keys.ts';
import { switchArgs } from './lexical-index.ts';
import { readPage } from './paging.ts';
import { postingsLost } from './postings-writer.ts';
import { parseRevisioned, parseWithEvent } from './revisioned.ts';

/** A namespace that was reserved for a new document is free again after this, where the accept never came. */
const claimLifeMs = 10 * 60_000;
/** So many removed documents are remembered for those who follow the changes; whoever is further behind reloads. */
const tombstonesKept = 10_000;

type DocumentStore = Pick<
  Ledger,
  | 'reserveVersion'
  | 'getDocument'
  | 'listDocuments'
  | 'patchDocument'
  | 'describeVersion'
  | 'activateVersion'
  | 'failVersion'
  | 'forgetVersion'
  | 'removeDocument'
  | 'namespaces'
  | 'embeddingModelOf'
  | 'withdrawVersion'
>;

interface DocumentStoreDeps extends LedgerAccess {
  readonly maxTombstones?: number;
}

/** What a version is found by. */
interface Found<Result> {
  /** Switched on in the same step. */
  readonly postings?: readonly (string | number | Buffer)[];
  /** The model whose vectors of it the index has, and what to answer where the namespace has another one. */
  readonly onlyWith?: { readonly model: string; readonly otherwise: Result };
}

export function createDocumentStore(deps: DocumentStoreDeps): DocumentStore {
  const { keys, maxTombstones = tombstonesKept } = deps;
  const read = (scope: Scope, documentId: string) =>
    readLedger(deps, (redis) => redis.hget(keys.namespace(scope).documents, documentId));

  /** Where a document lives. It cannot move: only after it was removed may the name appear elsewhere. */
  const homeOf = async (tenant: string, documentId: string): Promise<Scope | undefined> => {
    const home = await readLedger(deps, (redis) => redis.hget(keys.tenant(tenant).homes, documentId));
    return home === null ? undefined : { tenant, namespace: home.slice(home.indexOf('|') + 1) };
  };

  /** Applies a pure change by compare-and-set. `change` says what to store (nothing: undefined) and what to answer. */
  const change = async <Result>(
    scope: Scope,
    documentId: string,
    decide: (current: LedgerDocument | undefined) => { store?: LedgerDocument | undefined; result: Result },
    { postings = [], onlyWith }: Found<Result> = {},
  ): Promise<Result> => {
    const names = namesOf(keys.namespace(scope));
    let current = parseRevisioned<LedgerDocument>(await read(scope, documentId));
    for (;;) {
      const { store, result } = decide(current?.value);
      if (!store || !current) return result;
      const row = documents.rowOf(store);
      const described = [documentId, current.revision, JSON.stringify(store), row ? JSON.stringify(row) : ''];
      const args = [...described, onlyWith?.model ?? '', ...postings];
      const answer = await runLedgerScript(deps, saveDocumentScript, names, args);
      const [outcome, detail] = answer as [string, string?];
      if (outcome === 'ok') return result;
      if (outcome === 'lost') throw postingsLost();
      if (outcome === 'other_model' && onlyWith) return onlyWith.otherwise;
      current = parseRevisioned<LedgerDocument>(detail);
    }
  };

  return {
    async reserveVersion(scope, documentId, model, atLeast = 1) {
      const ofTenant = keys.tenant(scope.tenant);
      const answer = await runLedgerScript(
        deps,
        reserveVersionScript,
        [ofTenant.homes, ofTenant.versionCounters, ofTenant.namespaces, keys.namespace(scope).head, keys.tenants],
        [documentId, scope.namespace, model, atLeast, newEpoch(), claimLifeMs, scope.tenant],
      );
      const reserved = answer as ['ok', number, string] | ['elsewhere', string];
      if (reserved[0] === 'elsewhere') {
        throw new MemoryError('conflict', `Document ${documentId} belongs to namespace ${reserved[1]}.`);
      }
      return { version: reserved[1], embeddingModel: reserved[2] };
    },

    async getDocument(tenant, documentId) {
      const home = await homeOf(tenant, documentId);
      const stored = home && parseRevisioned<LedgerDocument>(await read(home, documentId));
      return stored && documents.documentRecord(stored.value);
    },

    async listDocuments(tenant, query) {
      const scope = query.namespace === undefined ? undefined : { tenant, namespace: query.namespace };
      const index = scope ? keys.namespace(scope).documentsByAge : keys.tenant(tenant).documents;
      return readLedgerAtLength(deps, (redis) =>
        readPage(redis, index, query, async (members) => {
          const found = await readDocuments(deps, tenant, members, query.namespace);
          return found.map((document) =>
            document && (query.state === undefined || documents.documentState(document) === query.state)
              ? documents.documentRecord(document)
              : undefined,
          );
        }),
      );
    },

    async patchDocument(tenant, documentId, patch, at) {
      const home = await homeOf(tenant, documentId);
      if (!home) return undefined;
      return change(home, documentId, (current) => {
        const store = current && documents.patchDocument(current, patch, at);
        return { store, result: store && documents.documentRecord(store) };
      });
    },

    async describeVersion(scope, documentId, version, facts) {
      await change(scope, documentId, (current) => ({
        store: current && documents.describeVersion(current, version, facts),
        result: undefined,
      }));
    },

    async activateVersion(scope, documentId, version, at, facts, postings, model) {
      type Activated = Awaited<ReturnType<Ledger['activateVersion']>>;
      const otherwise: Activated = { outcome: 'other_model', previous: 0 };
      return change<Activated>(
        scope,
        documentId,
        (current) => {
          const { document, ...result } = documents.activateVersion(current, version, at, facts);
          // What a version is found by may be new where nothing of its description is.
          const isNew = result.outcome === 'activated' && postings !== undefined;
          return { store: document ?? (isNew ? current : undefined), result };
        },
        {
          ...(postings ? { postings: switchArgs(version, postings) } : {}),
          ...(model === undefined ? {} : { onlyWith: { model, otherwise } }),
        },
      );
    },

    async forgetVersion(scope, documentId, version) {
      await change(scope, documentId, (current) => ({
        store: current && documents.forgetVersion(current, version),
        result: undefined,
      }));
    },

    async failVersion(scope, documentId, version, _error, at) {
      await change(scope, documentId, (current) => ({
        store: current && documents.failVersion(current, version, at),
        result: undefined,
      }));
    },

    async removeDocument(tenant, documentId) {
      const home = await homeOf(tenant, documentId);
      if (!home) return undefined;
      const ofNamespace = keys.namespace(home);
      const { homes, documents: ofTenant, job } = keys.tenant(tenant);
      const names = [...namesOf(ofNamespace), homes, ofTenant, ofNamespace.documentsByAge];
      let postings = 0;
      let current = parseRevisioned<LedgerDocument>(await read(home, documentId));
      for (;;) {
        const member = `${current?.value.createdAt ?? ''}|${documentId}`;
        const args = [
          documentId,
          current?.revision ?? '0',
          maxTombstones,
          `${member}|${home.namespace}`,
          member,
          home.namespace,
        ];
        const answer = await runLedgerScript(deps, removeDocumentScript, names, args);
        const [outcome, detail] = answer as ['ok', number] | ['retry', string];
        if (outcome === 'ok') {
          postings = detail;
          break;
        }
        current = parseRevisioned<LedgerDocument>(detail);
      }
      if (!current) return undefined;
      const document = documents.documentRecord(current.value);
      const jobs = await readLedger(deps, (redis) =>
        redis.mget(document.versions.map((version) => job(version.jobId))),
      );
      const openJobIds = jobs.flatMap((text) => {
        const record = parseWithEvent<JobRecord>(text)?.value;
        return record && !isTerminal(record.state) ? [record.id] : [];
      });
      return { document, openJobIds, postings };
    },

    async namespaces(tenant) {
      const names = await readLedger(deps, (redis) => redis.smembers(keys.tenant(tenant).namespaces));
      const models = await readLedger(deps, (redis) =>
        Promise.all(names.map((namespace) => redis.hget(keys.namespace({ tenant, namespace }).head, 'model'))),
      );
      return names.map((namespace, at) => ({ namespace, embeddingModel: models[at] ?? '' }));
    },

    async embeddingModelOf(scope) {
      return (await readLedger(deps, (redis) => redis.hget(keys.namespace(scope).head, 'model'))) ?? undefined;
    },

    async withdrawVersion(scope, documentId, version, jobId) {
      const { tenant, namespace } = scope;
      const ofNamespace = keys.namespace(scope);
      const { homes, documents: ofTenant } = keys.tenant(tenant);
      const names = [...namesOf(ofNamespace), homes, ofTenant, ofNamespace.documentsByAge];
      let withdrawn = false;
      let current = parseRevisioned<LedgerDocument>(await read(scope, documentId));
      const isThere = () => current?.value.versions.some((one) => one.version === version && one.jobId === jobId);
      while (current && isThere()) {
        if (current.value.versions.length > 1) {
          withdrawn = await change(scope, documentId, (now) => {
            const store = now && documents.withdrawVersion(now, version);
            return { store, result: store !== undefined };
          });
          break;
        }
        const member = `${current.value.createdAt}|${documentId}`;
        const args = [documentId, current.revision, maxTombstones, `${member}|${namespace}`, member, namespace];
        const answer = await runLedgerScript(deps, removeDocumentScript, names, args);
        const [outcome, detail] = answer as [string, string?];
        withdrawn = outcome === 'ok';
        if (withdrawn) break;
        current = parseRevisioned<LedgerDocument>(detail);
      }
      return (await withdrawJob(deps, tenant, jobId)) || withdrawn;
    },
  };
}

/** The keys that saving and removing a document begin with, in the order of their scripts. */
function namesOf(names: ReturnType<LedgerKeys['namespace']>): string[] {
  const { documents: stored, rows, changes, tombstones, head } = names;
  const { lexicalState, lexicalLengths, lexicalDocuments, lexicalLog, lexicalClaims } = names;
  const postings = [lexicalState, lexicalLengths, lexicalDocuments, lexicalLog, lexicalClaims];
  return [stored, rows, changes, tombstones, head, ...postings];
}

/** The documents of index members (`CREATED_AT|ID` or `CREATED_AT|ID|NAMESPACE`), in order. */
async function readDocuments(
  deps: LedgerAccess,
  tenant: string,
  members: readonly string[],
  inNamespace: string | undefined,
): Promise<(LedgerDocument | undefined)[]> {
  // Issued in one turn of the loop, so they travel together.
  const stored = await readLedger(deps, (redis) =>
    Promise.all(
      members.map((member) => {
        const [, documentId, namespace = inNamespace!] = member.split('|') as [string, string, string?];
        return redis.hget(deps.keys.namespace({ tenant, namespace }).documents, documentId);
      }),
    ),
  );
  return stored.map((text) => parseRevisioned<LedgerDocument>(text)?.value);
}
