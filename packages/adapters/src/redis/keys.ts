import { createHash, hash } from 'node:crypto';
import type { Scope } from '@semantic-memory/shared/contracts/model/ids';
import type { JobState } from '@semantic-memory/shared/contracts/model/job';
import { remember } from '@semantic-memory/shared/search/lexical/remember';

/**
 * Every key of the ledger. Three groups, by hash tag (what shares one lies on one node of a cluster):
 * - `{tenant}`: jobs and their indexes, who lives where, version numbers. Job and document ids are unique in a tenant.
 * - `{tenant, namespace}`: documents, their rows and the log of changes: all that an activation touches.
 * - none: the jobs that have not ended and what is to be forgotten, of all tenants, and whether the ledger is whole.
 * Scripts declare every key. Those that accept, update or remove span groups, which one server does atomically; a
 * cluster would do them as two steps, document first (each is idempotent), and keep the open jobs per tenant.
 */
export type LedgerKeys = ReturnType<typeof ledgerKeys>;

const tagOf = (parts: readonly string[]) =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);

/** Of all keys of a tenant, also outside of the ledger: what shares it lies on one node. */
export const tenantTag = (tenant: string): string => `{${tagOf([tenant])}}`;

/** Hashing costs more than the rest of a call's preparation; tenants in use are few. */
const mostKnown = 1000;

export function ledgerKeys(prefix: string) {
  const root = `${prefix}:ledger`;
  const tenant = remember((name) => tenantKeys(`${root}:${tenantTag(name)}`), mostKnown);
  const namespaces = remember((id) => namespaceKeys(`${root}:{${tagOf(JSON.parse(id))}}`), mostKnown);
  return {
    tenant,
    namespace: (scope: Scope) => namespaces(JSON.stringify([scope.tenant, scope.namespace])),
    openJobs: `${root}:open-jobs`,
    /** `KIND|ID|TENANT` of jobs whose version is gone and of batches, by when that was, in milliseconds since 1970. */
    retired: `${root}:retired`,
    /** All tenants that anything was ever accepted from. */
    tenants: `${root}:tenants`,
    /** There as long as the ledger holds all that the blob store knows: gone with everything else. */
    epoch: `${root}:epoch`,
    /** Who is rebuilding the ledger; expires. */
    rebuilder: `${root}:rebuilder`,
    /** The start of the server up to which the ledger was compared with the blob store. */
    compared: `${root}:compared`,
    /** Who is compacting postings; expires. */
    compactor: `${root}:compactor`,
    /** How far that has come, JSON. */
    compaction: `${root}:compaction`,
    /** All keys of the ledger begin with this. */
    root: `${root}:`,
    /** Written to find out whether anything can be. */
    check: `${root}:check`,
  };
}

function tenantKeys(root: string) {
  return {
    /** `REVISION EVENT_ID JSON`. */
    job: (jobId: string) => `${root}:job:${jobId}`,
    /** Stream of the job's records, one per change. */
    events: (jobId: string) => `${root}:events:${jobId}`,
    /** Channel that says that there is a new event. */
    changed: (jobId: string) => `${root}:changed:${jobId}`,
    /** Sorted by name, `CREATED_AT|JOB_ID`. */
    jobs: `${root}:jobs`,
    jobsByState: (state: JobState) => `${root}:jobs-by-state:${state}`,
    jobsByDocument: (documentId: string) => `${root}:jobs-by-document:${documentId}`,
    jobsByNamespace: (namespace: string) => `${root}:jobs-by-namespace:${namespace}`,
    batch: (batchId: string) => `${root}:batch:${batchId}`,
    children: (jobId: string) => `${root}:children:${jobId}`,
    /** documentId → `CLAIMED_AT_MS|NAMESPACE`; claimed at 0 once it has an accepted version. */
    homes: `${root}:document-homes`,
    /** documentId → highest version ever given out; outlives the document. */
    versionCounters: `${root}:version-counters`,
    namespaces: `${root}:namespaces`,
    /** Sorted by name, `CREATED_AT|DOCUMENT_ID|NAMESPACE`. */
    documents: `${root}:documents-by-age`,
  };
}

function namespaceKeys(root: string) {
  const lexical = `${root}:lx:`;
  return {
    /** documentId → `REVISION JSON`. */
    documents: `${root}:documents`,
    /** Sorted by name, `CREATED_AT|DOCUMENT_ID`. */
    documentsByAge: `${root}:documents-by-age`,
    /** documentId → what a search knows of it, JSON. */
    rows: `${root}:rows`,
    /** documentId by the generation in which its row last changed. */
    changes: `${root}:changes`,
    /** Of these, the ones that are gone. */
    tombstones: `${root}:tombstones`,
    /** epoch, generation, floor (older cursors must reload), revision, model, incomplete (the index lacks chunks). */
    head: `${root}:head`,
    /** next (ordinal never given out), n (active chunks), sum (their words), ver (of the log), rules (of terms, where all are by the same);
     * compactedNext and compactedDead (ordinals given out, and of these not active, when it was last compacted). */
    lexicalState: `${lexical}state`,
    /** Two bytes by ordinal: words of the chunk, 0 where it is not active. */
    lexicalLengths: `${lexical}lengths`,
    /** documentId → `BASE COUNT VERSION WORDS RULES` of what is active. */
    lexicalDocuments: `${lexical}documents`,
    /** Base of a range of ordinals that was given out and is not switched on → who has it, since when. */
    lexicalClaims: `${lexical}claims`,
    /** Stream of what was switched on and off; an entry's id is `VER-0`. */
    lexicalLog: `${lexical}log`,
    /** What all keys of postings begin with. */
    lexical,
    /** Where the postings of a term are. Hashed, so that Redis holds no words of anyone's text. */
    postingsOf: (term: string): PostingsPlace => {
      const hashed = termHash(term);
      const shelf = `${lexical}${lexicalKinds.shelf}:${hashed.slice(0, 2)}`;
      return { list: `${lexical}${lexicalKinds.list}:${hashed}`, shelf, field: hashed.slice(2) };
    },
  };
}

/** Letters that say what a key of postings holds; `old` is what releases before wrote, and nobody reads. */
export const lexicalKinds = { list: 'l', shelf: 's', old: 't' } as const;

/**
 * Postings of a term: four bytes each, `ordinal << 5 | frequency`. Those of a rare term share a hash with other rare ones
 * (4,096 shelves), since a key of its own takes more than what it holds; from some number on they are a list.
 */
export interface PostingsPlace {
  /** Key of a string. */
  readonly list: string;
  /** Key of a hash. */
  readonly shelf: string;
  readonly field: string;
}

/** The words of a language in use are some ten thousand, and come again in nearly every text. */
const termHash = remember((term) => hash('sha256', term, 'base64url').slice(0, 10), 20_000);
