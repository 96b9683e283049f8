import { createHash } from 'node:crypto';

/**
 * Every key in the blob store. Tenants and documents appear as hashes: their names may hold what a file system
 * folds, forbids or reads as a path, and the manifest holds the real ones.
 */
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32);

/** Everything but the markers of what is open. */
export const tenantsPrefix = 'tenants/';
export const tenantPrefix = (tenant: string) => `${tenantsPrefix}${hashOf(tenant)}/`;

/** What came with a request, until a version claims it: nothing here is the truth of anything, and what is old goes. */
export const uploadsPrefix = 'uploads/';
export const uploadKey = (tenant: string, uploadId: string) => `${uploadsPrefix}${hashOf(tenant)}-${uploadId}`;
export const uploadIdOf = (key: string) => key.slice(key.lastIndexOf('-') + 1);

/** What is known of an embedding model, whoever uses it. */
export const modelKey = (model: string) => `models/${hashOf(model)}.json`;

/** One marker for each version that has not ended, so that nobody need walk everything to find them. */
export const pendingPrefix = 'pending/';
export const pendingKey = (jobId: string) => `${pendingPrefix}${jobId}.json`;

/** Calls that are owed when a job ends, from the moment it is accepted. */
export const owedCallsPrefix = 'webhooks/owed/';
export const owedCallKey = (deliveryId: string) => `${owedCallsPrefix}${deliveryId}.json`;
/** Calls of jobs that have ended, until they have been made or given up. */
export const dueCallsPrefix = 'webhooks/due/';
export const dueCallKey = (deliveryId: string) => `${dueCallsPrefix}${deliveryId}.json`;

export const documentPrefix = (tenant: string, documentId: string) => {
  const hash = hashOf(documentId);
  return `${tenantPrefix(tenant)}documents/${hash.slice(0, 2)}/${hash}/`;
};

/** Lies beside the document's folder, not in it: it outlives the folder. */
export const tombstoneKey = (tenant: string, documentId: string) =>
  `${tenantPrefix(tenant)}tombstones/${hashOf(documentId)}.json`;

/** Apart from the tenants' own, so that who looks for old ones need not walk all documents. */
export const idempotencyPrefix = 'idempotency/';
export const idempotencyKey = (tenant: string, key: string, attempt: number) => {
  const hash = hashOf(key);
  return `${idempotencyPrefix}${hashOf(tenant)}/${hash.slice(0, 2)}/${hash}-${attempt}.json`;
};
/** Says that old records were looked for on a day (`2026-01-31`). */
export const idempotencyExpiryKey = (day: string) => `${idempotencyPrefix}expired/${day}.json`;

/** What is known of a namespace beside its documents. */
export const namespacePrefix = ({ tenant, namespace }: { readonly tenant: string; readonly namespace: string }) =>
  `${tenantPrefix(tenant)}namespaces/${hashOf(namespace)}/`;
type NamespaceRef = Parameters<typeof namespacePrefix>[0];
/** One for each embedding model that the namespace has, had, or is being filled for, once there is more than one. */
export const namespaceModelsPrefix = (scope: NamespaceRef) => `${namespacePrefix(scope)}models/`;
export const namespaceModelKey = (scope: NamespaceRef, model: string) =>
  `${namespaceModelsPrefix(scope)}${hashOf(model)}.json`;
/** One for each time that the namespace got another model, by number. */
export const modelSwitchesPrefix = (scope: NamespaceRef) => `${namespacePrefix(scope)}switches/`;
export const modelSwitchKey = (scope: NamespaceRef, number: number) =>
  `${modelSwitchesPrefix(scope)}${String(number).padStart(8, '0')}.json`;

/**
 * One marker for each time that a namespace has left a model, or may have: named by when that was, in milliseconds since
 * 1970.
 */
export const leftModelsPrefix = 'left-models/';
export const leftModelKey = ({ tenant, namespace }: NamespaceRef, model: string, atMs: number) =>
  `${leftModelsPrefix}${atMs}-${hashOf(JSON.stringify([tenant, namespace, model]))}.json`;
export const leftAtOf = (key: string) => Number(/^\d+/.exec(key.slice(leftModelsPrefix.length))?.[0]);

/** Which jobs a request for many documents became. */
export const batchKey = (tenant: string, batchId: string) => `${tenantPrefix(tenant)}batches/${batchId}.json`;

/** What a document is to be called, by change: each holds the sum of those before it. */
export const patchKey = (tenant: string, documentId: string, number: number) =>
  `${documentPrefix(tenant, documentId)}patch-${String(number).padStart(8, '0')}.json`;

/** When a document was made, once the version that told is forgotten. */
export const createdKey = (tenant: string, documentId: string) => `${documentPrefix(tenant, documentId)}created.json`;

export interface VersionRef {
  readonly tenant: string;
  readonly documentId: string;
  readonly version: number;
}

export const versionPrefix = (ref: VersionRef) => `${documentPrefix(ref.tenant, ref.documentId)}v${ref.version}/`;
/** The version whose artifact a key below `documentPrefix` is; 0 where it is none's. */
export const versionOfKey = (key: string) => Number(/\/v(\d+)\/[^/]+(?:\/[^/]+)?$/.exec(key)?.[1] ?? 0);
/** The bytes themselves, as they came. */
export const originalKey = (ref: VersionRef) => `${versionPrefix(ref)}original`;
/** Those that were fetched; each fetch has its own, and `fetchedKey` says which one counts. */
export const fetchedOriginalKey = (ref: VersionRef, fetchId: string) => `${versionPrefix(ref)}original-${fetchId}`;
export const manifestKey = (ref: VersionRef) => `${versionPrefix(ref)}manifest.json`;
export const fetchedKey = (ref: VersionRef) => `${versionPrefix(ref)}fetched.json`;
export const extractionKey = (ref: VersionRef) => `${versionPrefix(ref)}extraction.json`;
export const ocrPageKey = (ref: VersionRef, page: number) => `${versionPrefix(ref)}pages/${page}.json`;
export const chunksKey = (ref: VersionRef) => `${versionPrefix(ref)}chunks.json`;

/** Where a version's vectors lie. */
export interface VectorsRef extends VersionRef {
  /** The folder in the version's own, for vectors of another model than the one that its chunks were cut for. */
  readonly folder?: string | undefined;
}

/** @param chunksHash tells one set of chunks from another: what was embedded of the one is never taken for the other's */
export const modelFolder = (model: string, chunksHash: string) =>
  `model-${hashOf(JSON.stringify([model, chunksHash]))}`;
const vectorsPrefix = (ref: VectorsRef) => `${versionPrefix(ref)}${ref.folder ? `${ref.folder}/` : ''}`;
/** Vectors of one batch of chunks, from the chunk with index `from` on. */
export const vectorsKey = (ref: VectorsRef, from: number) => `${vectorsPrefix(ref)}vectors-${from}.f32`;
/** Vectors of the tokens of all chunks. */
export const tokensKey = (ref: VectorsRef) => `${vectorsPrefix(ref)}tokens.bin`;
/** Those of one batch of chunks, until all are in one file. */
export const tokensPartKey = (ref: VectorsRef, from: number) => `${vectorsPrefix(ref)}tokens-${from}.part`;
/** Whether a key is that of such a batch, of these vectors and no other model's. */
export const isTokensPart = (ref: VectorsRef, key: string) =>
  key.startsWith(vectorsPrefix(ref)) && /^tokens-\d+\.part$/.test(key.slice(vectorsPrefix(ref).length));
/** Whether a key is of the vectors of the model that the chunks were cut for, or of their tokens. */
export const isOwnVectors = (ref: VersionRef, key: string) =>
  key.startsWith(versionPrefix(ref)) &&
  /^(?:vectors-\d+\.f32|tokens\.bin|tokens-\d+\.part)$/.test(key.slice(versionPrefix(ref).length));
/** The folder of another model's vectors that a key of a version is in; undefined where it is in none. */
export const modelFolderOf = (ref: VersionRef, key: string) =>
  /^model-[^/]+(?=\/)/.exec(key.slice(versionPrefix(ref).length))?.[0];
/** That all chunks have vectors in a model's folder, and how long they are. */
export const embeddedKey = (ref: VectorsRef) => `${vectorsPrefix(ref)}embedded.json`;
/** How the version ended; there is none while it has not. */
export const outcomeKey = (ref: VersionRef) => `${versionPrefix(ref)}outcome.json`;
/** That the version was begun anew, and how often; there is none while it has not been. */
export const runKey = (ref: VersionRef) => `${versionPrefix(ref)}run.json`;
/** How a version was committed, where a retry has begun to write it anew: the outcome that said so is gone. */
export const committedKey = (ref: VersionRef) => `${versionPrefix(ref)}committed.json`;

/** Which commit of a repository a job takes the files of. */
export const checkoutKey = (ref: VersionRef) => `${versionPrefix(ref)}checkout.json`;
/** Which objects of a bucket a job takes. */
export const listingKey = (ref: VersionRef) => `${versionPrefix(ref)}listing.json`;
/** Which version a job that this one made is of; `ref` is the version of the job that made it. */
export const childKey = (ref: VersionRef, jobId: string) => `${versionPrefix(ref)}children/${jobId}.json`;

/** That the archive of an import was read to its end and found good. */
export const checkedKey = (ref: VersionRef) => `${versionPrefix(ref)}checked.json`;

/** One marker for each replaced version that is still kept, named by when it was replaced. */
export const replacedPrefix = 'replaced/';
/** @param atMs milliseconds since 1970 */
export const replacedKey = ({ tenant, documentId, version }: VersionRef, atMs: number) =>
  `${replacedPrefix}${atMs}-${hashOf(JSON.stringify([tenant, documentId, version]))}.json`;
export const replacedAtOf = (key: string) => Number(/^\d+/.exec(key.slice(replacedPrefix.length))?.[0]);

/** One marker for each delete that was begun and is not verified yet. */
export const deletingPrefix = 'deleting/';
export const deletingKey = (tenant: string, documentId: string) =>
  `${deletingPrefix}${hashOf(JSON.stringify([tenant, documentId]))}.json`;
