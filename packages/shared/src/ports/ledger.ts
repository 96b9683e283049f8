import type { JobError } from '../contracts/errors.ts';
import type { DocumentState, DocumentVersion } from '../contracts/model/document.ts';
import type { Metadata, Priority, Scope } from '../contracts/model/ids.ts';
import type { Job, JobState } from '../contracts/model/job.ts';
import type { PreparedPostings } from './lexical-index.ts';

/** A job as the ledger keeps it: what the API shows, and what only the service needs. */
export interface JobRecord extends Omit<Job, 'links'> {
  readonly tenant: string;
  readonly run: number;
  readonly priority: Priority;
  /** `upload`, `url`, `git`, `s3` (one object), `s3-prefix` (many) and what jobs of namespaces have: for metrics. */
  readonly sourceType: string;
  readonly parentJobId?: string | undefined;
  readonly batchId?: string | undefined;
  /** The call that is owed when this run of the job ends: where a callbackUrl was given. */
  readonly deliveryId?: string | undefined;
  /** Of the processes that died with a stage of a run at work, those after which it went on: they are not held against it. */
  readonly survived?: { readonly stage: string; readonly run: number; readonly stalls: number } | undefined;
  /** Child processes that died of the job's content in a run of it, in any stage, since it last stored anything. */
  readonly killed?: { readonly run: number; readonly children: number } | undefined;
}

/** A document as the ledger keeps it. */
export interface DocumentRecord extends Scope {
  readonly documentId: string;
  readonly title: string;
  readonly metadata: Metadata;
  readonly mediaType: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** 0 where no version is active. */
  readonly activeVersion: number;
  readonly latestVersion: number;
  /** Newest first. */
  readonly versions: readonly VersionRecord[];
}

export interface VersionRecord extends Omit<DocumentVersion, 'active' | 'state'> {
  /** `active` also where a newer one has replaced it since. */
  readonly state: DocumentState;
  /** When it became active: the time of its commit in the blob store. Absent where it never was. */
  readonly activeFrom?: string | undefined;
  readonly pages?: number | undefined;
  readonly mediaType: string;
  /** Which retry of the version is the one that was committed last; absent for the first run. */
  readonly run?: number | undefined;
}

/** What an accepted version says of its document. */
export interface AcceptedFacts {
  readonly title: string;
  readonly metadata: Metadata;
  /** When the document was made, where that was elsewhere. */
  readonly createdAt?: string;
}

/** What steps find out about a version. */
export interface VersionFacts {
  readonly mediaType?: string;
  readonly title?: string;
  readonly pages?: number;
  readonly chunks?: number;
  readonly bytes?: number;
  readonly sha256?: string;
  readonly run?: number;
}

/** A document with what only the ledger needs. */
export interface LedgerDocument extends DocumentRecord {
  /**
   * What versions that are not active yet will call the document, by version: a new version's title and metadata
   * take effect together with its text. A `PATCH` in between removes them here, being the later wish.
   */
  readonly pending: Readonly<Record<string, { readonly title?: string; readonly metadata?: Metadata }>>;
}

/** What a caller wishes a document to be called, and which versions the wish is about: those that it knew. */
export interface DocumentPatch {
  readonly title?: { readonly value: string; readonly upToVersion: number } | undefined;
  readonly metadata?: { readonly value: Metadata; readonly upToVersion: number } | undefined;
}

/** What a search needs to know about a document. */
export interface DocumentRow {
  readonly documentId: string;
  /** 0 where the document is gone or has no active version. */
  readonly activeVersion: number;
  readonly title: string;
  readonly metadata: Metadata;
  readonly mediaType: string;
  readonly createdAt: string;
  /** Chunks of the active version. */
  readonly chunks: number;
  /** Which run of the active version was committed last, where it was retried: its chunks may be other ones since. */
  readonly run?: number | undefined;
  /** When the active version became so, in milliseconds since 1970. */
  readonly activeFrom?: number | undefined;
  /** Versions that were active before and are still kept, the newest first, with when they became so. */
  readonly former?: readonly (readonly [version: number, activeFrom: number])[] | undefined;
}

/** What has changed in a namespace's documents since a cursor. */
export interface DocumentChanges {
  /** True where the cursor was too old or absent: `rows` then is all there is. */
  readonly reset: boolean;
  /** Documents appear with their first active version, and once more with version 0 when they are gone. */
  readonly rows: readonly DocumentRow[];
  readonly cursor: string;
  /**
   * Names what a search of the namespace can see: another one after each change of a row, the same to all processes, and
   * never given to two states, also where the ledger has lost its last writes.
   */
  readonly generation: string;
  /** The model that the namespace's vectors are of; undefined where nothing was ever accepted. */
  readonly embeddingModel: string | undefined;
  /** The index is known to lack chunks of active versions; they are being brought back. */
  readonly indexIncomplete?: boolean;
}

export interface JobPage {
  readonly items: readonly JobRecord[];
  readonly nextCursor?: string | undefined;
}

export interface DocumentPage {
  readonly items: readonly DocumentRecord[];
  readonly nextCursor?: string | undefined;
}

export interface JobEvent {
  /** Ordered; what `Last-Event-ID` carries. */
  readonly id: string;
  readonly job: JobRecord;
}

/** What is kept only so that it can be asked for. */
export interface Retired {
  readonly kind: 'job' | 'batch';
  readonly tenant: string;
  readonly id: string;
}

/** The only source of job and document state that the API reports. Every call is one atomic step. */
export interface Ledger {
  /**
   * Reserves the next version number of a document and the namespace's embedding model.
   * `model` is what a new namespace gets; an old one keeps its own.
   * @throws MemoryError `conflict` where the tenant has the document in another namespace.
   */
  reserveVersion(
    scope: Scope,
    documentId: string,
    model: string,
    atLeast?: number,
  ): Promise<{ version: number; embeddingModel: string }>;

  /** Records an accepted version: its job (state `queued`) and its place in the document. Repeating it changes nothing. */
  createJob(job: JobRecord, version: VersionRecord, document: AcceptedFacts): Promise<void>;
  /** Records a job that has no document of its own (a repository's, an archive's). */
  createParentJob(job: JobRecord): Promise<void>;

  getJob(tenant: string, jobId: string): Promise<JobRecord | undefined>;
  /** The jobs in the order asked for; unknown ids are left out. */
  getJobs(tenant: string, jobIds: readonly string[]): Promise<JobRecord[]>;
  listJobs(
    tenant: string,
    query: {
      state?: JobState | undefined;
      documentId?: string | undefined;
      namespace?: string | undefined;
      /** Leaves out the others. */
      matches?: ((job: JobRecord) => boolean) | undefined;
      limit: number;
      cursor?: string | undefined;
    },
  ): Promise<JobPage>;

  /**
   * Changes a job by compare-and-set: `change` gets the current record and returns the new one, or undefined to leave
   * it. It is called again where another process was faster, so it must be pure. A transition that is not in
   * `contracts/model/job-transitions.ts` is refused (`conflict`). The change is an event at once.
   * @param known the job as this ledger gave it lately: tried first, which saves reading it anew
   * @returns the record as it now stands, or undefined where there is no such job.
   */
  updateJob(
    tenant: string,
    jobId: string,
    change: (job: JobRecord) => JobRecord | undefined,
    known?: JobRecord,
  ): Promise<JobRecord | undefined>;

  /** Every change since `afterId` (all kept ones without), then live; ends after a terminal state or by `signal`. */
  watchJob(tenant: string, jobId: string, afterId: string | undefined, signal: AbortSignal): AsyncIterable<JobEvent>;

  /** Records a batch, and retires it at once. @param atMs when it was made, in milliseconds since 1970 */
  createBatch(tenant: string, batchId: string, jobIds: readonly string[], atMs: number): Promise<void>;
  getBatch(tenant: string, batchId: string): Promise<string[] | undefined>;

  /**
   * Says since when jobs or batches are kept only so that they can be asked for: a job whose version is gone, a batch. It
   * may be said before there is any such job. Of several times the latest counts.
   * @param atMs in milliseconds since 1970
   */
  retire(tenant: string, kind: Retired['kind'], ids: readonly string[], atMs: number): Promise<void>;
  /** What was retired up to a time (milliseconds since 1970), the longest ago first: of all tenants. */
  retired(untilMs: number, limit: number): Promise<Retired[]>;
  /**
   * Forgets a job that has ended, with its events and its place in every list.
   * @param known the job as this ledger gave it lately; undefined where there was none, and only its retirement is forgotten
   * @returns false, and nothing is forgotten, where it has changed since
   */
  forgetJob(tenant: string, jobId: string, known: JobRecord | undefined): Promise<boolean>;
  /** Forgets which jobs a batch became; they themselves stay. */
  forgetBatch(tenant: string, batchId: string): Promise<void>;

  /** Records a child of a parent job; repeating it changes nothing. */
  addChild(tenant: string, parentJobId: string, childJobId: string): Promise<void>;
  children(tenant: string, parentJobId: string): Promise<string[]>;

  getDocument(tenant: string, documentId: string): Promise<DocumentRecord | undefined>;
  listDocuments(
    tenant: string,
    query: { namespace?: string | undefined; state?: string | undefined; limit: number; cursor?: string | undefined },
  ): Promise<DocumentPage>;
  /** @returns undefined where there is no such document. */
  patchDocument(
    tenant: string,
    documentId: string,
    patch: DocumentPatch,
    at: string,
  ): Promise<DocumentRecord | undefined>;

  /** Fills in what a step found out about a version. Does nothing where the version is not known (deleted). */
  describeVersion(scope: Scope, documentId: string, version: number, facts: VersionFacts): Promise<void>;

  /**
   * Makes a version the active one, unless a newer one is active or the document is gone, and moves the namespace's
   * generation on.
   * @param at when its commit was recorded durably: what `asOf` goes by
   * @param facts what is known of the version by then, as `describeVersion` takes it
   * @param postings switched on in the same step, and those of the version before off
   * @param model whose vectors of it the index has
   * @returns `activated` with the version that was active before (0: none) and the document's title; `replaced` (with the same) where it was
   * active once and a newer one is now; `superseded` where a newer one was first; `other_model` where the namespace has another model by now, and nothing was
   * changed; or `gone`.
   */
  activateVersion(
    scope: Scope,
    documentId: string,
    version: number,
    at: string,
    facts?: VersionFacts,
    postings?: PreparedPostings,
    model?: string,
  ): Promise<{
    outcome: 'activated' | 'replaced' | 'superseded' | 'other_model' | 'gone';
    previous: number;
    title?: string;
  }>;
  /** Forgets a version that is neither the active one nor the latest; does nothing for those, and where it is unknown. */
  forgetVersion(scope: Scope, documentId: string, version: number): Promise<void>;
  /** Marks a version as failed; the active version stays. */
  failVersion(scope: Scope, documentId: string, version: number, error: JobError, at: string): Promise<void>;

  /**
   * Forgets a document: no search returns it from here on, and its versions can no longer be activated.
   * @returns what it was, the jobs that have not ended, and how many chunks had postings; undefined where there is none
   */
  removeDocument(
    tenant: string,
    documentId: string,
  ): Promise<{ document: DocumentRecord; openJobIds: string[]; postings: number } | undefined>;

  /** All rows of a namespace, or those that changed since `cursor`. One round trip. */
  documentChanges(scope: Scope, cursor: string | undefined): Promise<DocumentChanges>;

  namespaces(tenant: string): Promise<{ namespace: string; embeddingModel: string }[]>;
  /** The embedding model of a namespace now; undefined where nothing was ever accepted. */
  embeddingModelOf(scope: Scope): Promise<string | undefined>;
  /**
   * Gives a namespace another embedding model and moves its generation on, in one step with all that a search reads. Makes
   * the namespace where there is none.
   * @param ifGeneration only where nothing that a search sees has changed since `documentChanges` gave this generation
   * @returns whether the namespace has the model now
   */
  switchModel(scope: Scope, model: string, ifGeneration?: string): Promise<boolean>;

  /** Jobs that have not ended, oldest first, for the reconciler: all tenants. */
  openJobs(limit: number): Promise<{ tenant: string; jobId: string }[]>;

  /** All tenants that anything was ever accepted from. */
  tenants(): Promise<string[]>;
  /**
   * Makes a document's record what the blob store tells, by compare-and-set, and gives the document its place in every
   * index. `revise` must be pure; where it returns undefined nothing changes.
   * @param embeddingModel what the namespace gets where it has none
   * @returns whether it changed
   * @throws MemoryError `conflict` where the tenant has the document in another namespace
   */
  reviseDocument(
    scope: Scope,
    documentId: string,
    embeddingModel: string,
    revise: (current: LedgerDocument | undefined) => LedgerDocument | undefined,
  ): Promise<boolean>;
  /** Records a job as the blob store tells it, in whatever state, where there is none. Returns whether there was none. */
  restoreJob(job: JobRecord): Promise<boolean>;
  /**
   * Takes a version out that was never accepted, with its job: the call that recorded them had timed out and took effect
   * all the same. A document without another version goes with it.
   * @returns whether there was anything
   */
  withdrawVersion(scope: Scope, documentId: string, version: number, jobId: string): Promise<boolean>;
  /** Version numbers of a document go on above this one. */
  countVersion(tenant: string, documentId: string, version: number): Promise<void>;
  /** Says whether the index is known to lack chunks of a namespace. */
  markIndex(scope: Scope, state: 'whole' | 'incomplete'): Promise<void>;

  /** Answers where the ledger can be read, or throws `dependency_unavailable`, or `rebuilding` where it is not whole. */
  check(): Promise<void>;
  /** Answers where it takes writes too: one that is full, or whose disk is, only reads. */
  checkWrites(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Whether the ledger holds what the blob store knows, which is not so when its server was emptied. Until it was rebuilt
 * every call of `Ledger` throws `rebuilding`: nothing is absent that only was not restored yet.
 */
export interface LedgerRecovery {
  isWhole(): Promise<boolean>;
  /**
   * Rebuilds as the only process that does, then declares the ledger whole.
   * @param rebuild fills the ledger it is given; it has to stop when `signal` fires, which means that another process
   * has taken over
   * @returns false where the ledger is whole, or another process rebuilds it
   */
  rebuildOnce(rebuild: (ledger: Ledger, signal: AbortSignal) => Promise<void>): Promise<boolean>;
  /** Another one for each start of the server: a start may have lost the last writes before it. */
  serverStart(): Promise<string>;
  /** The start of the server after which the ledger was last compared with the blob store as a whole. */
  comparedStart(): Promise<string | undefined>;
  markCompared(serverStart: string): Promise<void>;
  /** Whether the server has been compared since it was started: until then what is absent may have been lost. */
  isCompared(): Promise<boolean>;
}
