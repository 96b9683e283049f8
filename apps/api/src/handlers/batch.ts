import { MemoryError, toMemoryError } from '@semantic-memory/shared/contracts/errors';
import { errorStatus } from '@semantic-memory/shared/contracts/http/error-status';
import {
  CallbackUrl,
  IngestBatchFields,
  IngestRequest,
  maxBatchItems,
} from '@semantic-memory/shared/contracts/http/ingest';
import { BatchId, DocumentId, Namespace } from '@semantic-memory/shared/contracts/model/ids';
import type { JobState } from '@semantic-memory/shared/contracts/model/job';
import { abortVersion } from '@semantic-memory/shared/ingest/abort';
import { acceptRejected, acceptUnqueued, handOut } from '@semantic-memory/shared/ingest/accept';
import { type AcceptRequest, discardOriginal, type StoredBytes } from '@semantic-memory/shared/ingest/accept-request';
import { jobView } from '@semantic-memory/shared/ingest/jobs/job-view';
import { newBatchId } from '@semantic-memory/shared/ingest/new-id';
import { storeUpload } from '@semantic-memory/shared/ingest/plain-text/store-upload';
import { recordBatch } from '@semantic-memory/shared/ingest/stored/batch-record';
import type { JobRecord } from '@semantic-memory/shared/ports/ledger';
import type { ApiDeps } from '../api-deps.ts';
import { type Handlers, ok, type RequestContext } from '../endpoint-handler.ts';
import { faultsOf, invalidRequest } from '../errors.ts';
import { readMultipart } from '../multipart.ts';
import type { TenantTurns } from '../tenant-turns.ts';
import { assertCallable, fromJson, maxFieldBytes, uploadedAs, withDefaults } from './ingest.ts';

/** How many items of a request are under way at the same time. */
const itemsAtOnce = 8;

/** One item: what to accept, or why not. */
type Item =
  | { readonly request: AcceptRequest }
  | { readonly rejected: Omit<AcceptRequest, 'original'>; readonly error: MemoryError };

export function batchHandlers(deps: ApiDeps, inTurn: TenantTurns): Pick<Handlers, 'ingestBatch' | 'getBatch'> {
  return {
    async ingestBatch(context, { body }) {
      const batchId = newBatchId();
      const items = body
        ? body.items.map((item) => () => jsonItem(deps, context.tenant, item, batchId))
        : await uploadedItems(deps, context, batchId);
      const jobs = await acceptAll(deps, inTurn, context, items, batchId);
      return { status: 202, body: { batchId, jobs: jobs.map(jobView) } };
    },

    async getBatch({ tenant }, { params: { batchId } }) {
      const jobIds = BatchId.safeParse(batchId).success ? await deps.ledger.getBatch(tenant, batchId) : undefined;
      if (!jobIds) throw new MemoryError('not_found', 'There is no such batch.');
      const jobs = await deps.ledger.getJobs(tenant, jobIds);
      return ok({ batchId, counts: countStates(jobs), jobs: jobs.map(jobView) });
    },
  };
}

function countStates(jobs: readonly JobRecord[]): Record<JobState, number> {
  const counts = { queued: 0, running: 0, waiting: 0, succeeded: 0, partial: 0, failed: 0, cancelled: 0 };
  for (const job of jobs) counts[job.state] += 1;
  return counts;
}

async function jsonItem(deps: ApiDeps, tenant: string, item: unknown, batchId: string): Promise<Item> {
  const parsed = IngestRequest.safeParse(item);
  if (parsed.error) {
    const error = invalidRequest(faultsOf(parsed.error, 'item'));
    return { rejected: rejectedRequest(deps, tenant, item, batchId), error };
  }
  try {
    return { request: (await fromJson(deps, tenant, parsed.data, batchId)).request };
  } catch (thrown) {
    const error = faultOfItem(thrown);
    const { source: _source, callbackUrl, ...described } = parsed.data;
    const request = {
      tenant,
      batchId,
      ...described,
      ...callable(deps, callbackUrl),
      source: { type: 'upload' as const },
    };
    return { rejected: request, error };
  }
}

/** As much of a malformed item as can be told: where it is usable, the job stands under its own id and namespace. */
function rejectedRequest(
  deps: ApiDeps,
  tenant: string,
  item: unknown,
  batchId: string,
): Omit<AcceptRequest, 'original'> {
  const { documentId, namespace, callbackUrl } = (typeof item === 'object' && item !== null ? item : {}) as Record<
    string,
    unknown
  >;
  const id = DocumentId.safeParse(documentId).data;
  return {
    tenant,
    namespace: Namespace.safeParse(namespace).data ?? 'default',
    ...(id === undefined ? {} : { documentId: id }),
    ...callable(deps, callbackUrl),
    metadata: {},
    priority: 'normal',
    options: {},
    source: { type: 'upload' },
    batchId,
  };
}

/** Where a bad item asks to be told of its end, and may be. */
function callable(deps: ApiDeps, value: unknown): { callbackUrl?: string } {
  const callbackUrl = CallbackUrl.safeParse(value).data;
  if (callbackUrl === undefined) return {};
  try {
    assertCallable(deps, { callbackUrl });
    return { callbackUrl };
  } catch (error) {
    if (error instanceof MemoryError && error.code === 'unprocessable') return {};
    throw error;
  }
}

/** An error that is this item's own; ours ends the whole request. */
function faultOfItem(thrown: unknown): MemoryError {
  const error = toMemoryError(thrown);
  if (error.code === 'request_too_large') {
    return new MemoryError('too_large', error.message, { details: error.details, cause: error });
  }
  if (errorStatus[error.code] >= 500) throw error;
  return error;
}

async function uploadedItems(deps: ApiDeps, context: RequestContext, batchId: string): Promise<Item[]> {
  const stored: StoredBytes[] = [];
  const { tenant } = context;
  try {
    const options = {
      fileField: 'file',
      maxFiles: maxBatchItems,
      maxFieldBytes,
      maxFileBytes: deps.limits.maxFileBytes,
      idleMs: deps.limits.uploadIdleMs,
    };
    const { fields, files } = await readMultipart(context.request, options, async (file) => {
      const { filename, mediaType } = file;
      try {
        const original = await storeUpload(deps, tenant, file.stream, deps.limits.maxFileBytes);
        stored.push(original);
        return { file: { original, filename, mediaType } };
      } catch (thrown) {
        return { filename, error: faultOfItem(thrown) };
      }
    });
    if (files.length === 0) throw invalidRequest([{ path: 'files.file', message: 'is missing' }]);
    const parsed = IngestBatchFields.safeParse(fields);
    if (parsed.error) throw invalidRequest(faultsOf(parsed.error, 'fields'));
    assertCallable(deps, parsed.data);
    const shared = { tenant, batchId, ...withDefaults(parsed.data) };
    return files.map((result): Item => {
      if (result.file) return { request: { ...shared, ...uploadedAs(result.file) } };
      const source = { type: 'upload' as const, ...(result.filename ? { filename: result.filename } : {}) };
      return { rejected: { ...shared, source }, error: result.error };
    });
  } catch (error) {
    await Promise.all(stored.map((original) => discardOriginal(deps, original)));
    throw error;
  }
}

/**
 * Accepts the items, several at the same time; the jobs come in the order of the items. A fault of ours takes back what
 * was accepted: the request then stored nothing that will be ingested, since nothing is handed out before all is well.
 */
async function acceptAll(
  deps: ApiDeps,
  inTurn: TenantTurns,
  context: RequestContext,
  items: readonly (Item | (() => Promise<Item>))[],
  batchId: string,
): Promise<JobRecord[]> {
  const jobs: JobRecord[] = [];
  const queue = items.entries();
  let failure: { readonly error: unknown } | undefined;
  const work = async () => {
    for (const [index, item] of queue) {
      try {
        jobs[index] = await inTurn(context.tenant, async () =>
          acceptItem(deps, typeof item === 'function' ? await item() : item),
        );
      } catch (error) {
        failure ??= { error };
      }
      if (failure) return;
    }
  };
  try {
    // The call itself is counted already.
    await deps.quotas?.count(context.tenant, { requests: items.length - 1 });
    await Promise.all(Array.from({ length: Math.min(itemsAtOnce, items.length) }, work));
    if (failure) throw failure.error;
    await recordBatch(deps, context.tenant, batchId, jobs);
  } catch (error) {
    // The iterator still holds what nobody has begun.
    const notBegun = Array.from(queue, ([, item]) => item);
    await takeBack(deps, context, Object.values(jobs), notBegun);
    throw error;
  }
  const accepted = jobs.filter((job) => job.state === 'queued');
  await handOut(deps, accepted);
  for (const _ of accepted) deps.metrics.ingestRequest('accepted');
  return jobs;
}

/** Cancels the jobs and removes the bytes of items that never became one. */
async function takeBack(
  deps: ApiDeps,
  { logger }: RequestContext,
  jobs: readonly JobRecord[],
  notBegun: readonly (Item | (() => Promise<Item>))[],
): Promise<void> {
  const undoing: Promise<unknown>[] = [
    ...jobs.filter((job) => job.state !== 'failed').map((job) => abortVersion(deps, { ...job, jobId: job.id })),
    ...notBegun.map(async (item) => {
      if (typeof item !== 'function' && 'request' in item && item.request.original) {
        await discardOriginal(deps, item.request.original);
      }
    }),
  ];
  for (const result of await Promise.allSettled(undoing)) {
    if (result.status === 'rejected') logger.warn('could not take back an item of a batch', { error: result.reason });
  }
}

async function acceptItem(deps: ApiDeps, item: Item): Promise<JobRecord> {
  if ('error' in item) return acceptRejected(deps, item.rejected, item.error);
  const { original, ...request } = item.request;
  try {
    return await acceptUnqueued(deps, item.request);
  } catch (thrown) {
    if (original) await discardOriginal(deps, original);
    return acceptRejected(deps, request, faultOfItem(thrown));
  }
}
