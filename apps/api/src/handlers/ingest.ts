import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import {
  type IngestFields,
  IngestFields as IngestFieldsSchema,
  type IngestRequest,
} from '@semantic-memory/shared/contracts/http/ingest';
import type { Source } from '@semantic-memory/shared/contracts/model/source';
import { accept } from '@semantic-memory/shared/ingest/accept';
import { type AcceptRequest, discardOriginal, type StoredBytes } from '@semantic-memory/shared/ingest/accept-request';
import { assertAllowed } from '@semantic-memory/shared/ingest/allowed-bucket';
import { askDry } from '@semantic-memory/shared/ingest/dry-run/ask';
import { acceptOnce } from '@semantic-memory/shared/ingest/idempotency/accept-once';
import { jobPath, jobView } from '@semantic-memory/shared/ingest/jobs/job-view';
import { storeUpload } from '@semantic-memory/shared/ingest/plain-text/store-upload';
import type { ApiDeps } from '../api-deps.ts';
import { type Handlers, ok, type RequestContext } from '../endpoint-handler.ts';
import { faultsOf, invalidRequest } from '../errors.ts';
import { fingerprint } from '../fingerprint.ts';
import { readMultipart } from '../multipart.ts';
import type { TenantTurns } from '../tenant-turns.ts';

/** Fields hold metadata and options: as much as a large set of them needs. */
export const maxFieldBytes = 1024 * 1024;

export function ingestHandlers(deps: ApiDeps, inTurn: TenantTurns): Pick<Handlers, 'ingest'> {
  return {
    async ingest(context, { body, query, headers }) {
      const { request, fields } = body ? await fromJson(deps, context.tenant, body) : await fromUpload(deps, context);
      if (query.dryRun === 'true') return ok(await askDry(deps, request, context.signal));
      const key = headers['idempotency-key'];
      const { original } = request;
      try {
        const job = await inTurn(context.tenant, () =>
          key === undefined
            ? accept(deps, request)
            : acceptOnce(deps, request, { key, fingerprint: fingerprint(fields, original?.sha256) }),
        );
        const view = jobView(job);
        return { status: 202, body: view, headers: { location: jobPath(job.id) } };
      } catch (error) {
        // Nothing will claim the bytes.
        if (original) await discardOriginal(deps, original);
        throw error;
      }
    },
  };
}

/** A request, and what its Idempotency-Key stands for beside the bytes. */
interface Received {
  readonly request: AcceptRequest;
  readonly fields: unknown;
}

/** A JSON request; a text becomes stored bytes like those of a file. */
export async function fromJson(
  deps: ApiDeps,
  tenant: string,
  body: IngestRequest,
  batchId?: string,
): Promise<Received> {
  const { source, ...described } = body;
  assertCallable(deps, body);
  const shared = { tenant, ...described, ...(batchId === undefined ? {} : { batchId }) };
  if (source.type !== 'text') return { request: { ...shared, source: fetchable(deps, tenant, source) }, fields: body };
  const { text, mediaType = 'text/plain' } = source;
  const original = await storeUpload(deps, tenant, pieces(text), deps.limits.maxFileBytes);
  return {
    request: { ...shared, source: { type: 'upload' }, declaredMediaType: mediaType, original },
    fields: { ...described, source: { type: 'text', mediaType } },
  };
}

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text, 'utf8');
}

/**
 * Whether a bucket is there is not asked: who may not read it learns nothing of it.
 * @throws MemoryError `unprocessable` for a source that this service does not read, `fetch_forbidden` for one that this
 * tenant may not have read
 */
function fetchable({ allowedBuckets }: ApiDeps, tenant: string, source: Exclude<Source, { type: 'text' }>) {
  if (source.type !== 's3') return source;
  if (allowedBuckets.length === 0) {
    throw new MemoryError('unprocessable', 'Sources of type s3 are not available here.', {
      hint: 'An operator has to allow buckets in SOURCE_S3_BUCKETS. Or send the file itself, or a url of it.',
    });
  }
  assertAllowed(allowedBuckets, tenant, source);
  return source;
}

/**
 * Who asks to be called must not wait for a call that will never come.
 * @throws MemoryError `unprocessable`
 */
export function assertCallable(
  { checkCallbackUrl }: Pick<ApiDeps, 'checkCallbackUrl'>,
  { callbackUrl }: { readonly callbackUrl?: string | undefined },
): void {
  if (callbackUrl === undefined) return;
  if (!checkCallbackUrl) {
    throw new MemoryError('unprocessable', 'Calls to a callbackUrl are not available here.', {
      hint: 'Leave it out and watch the events of the job, or have an operator set WEBHOOK_SECRET.',
    });
  }
  try {
    checkCallbackUrl(callbackUrl);
  } catch (error) {
    if (!(error instanceof MemoryError)) throw error;
    throw new MemoryError('unprocessable', `The callbackUrl cannot be called: ${error.message}`, {
      hint: 'Give an http(s) address on the public internet, or have an operator allow the host in FETCH_ALLOW_HOSTS.',
      cause: error,
    });
  }
}

async function fromUpload(deps: ApiDeps, context: RequestContext): Promise<Received> {
  const stored: StoredBytes[] = [];
  try {
    const options = {
      fileField: 'file',
      maxFiles: 1,
      maxFieldBytes,
      maxFileBytes: deps.limits.maxFileBytes,
      idleMs: deps.limits.uploadIdleMs,
    };
    const { fields, files } = await readMultipart(context.request, options, async (file) => {
      const original = await storeUpload(deps, context.tenant, file.stream, deps.limits.maxFileBytes);
      stored.push(original);
      return { original, filename: file.filename, mediaType: file.mediaType };
    });
    const [file] = files;
    if (!file) throw invalidRequest([{ path: 'files.file', message: 'is missing' }]);
    const described = uploadFields(fields);
    assertCallable(deps, described);
    const request = { tenant: context.tenant, ...described, ...uploadedAs(file) };
    return { request, fields: described };
  } catch (error) {
    await Promise.all(stored.map((original) => discardOriginal(deps, original)));
    throw error;
  }
}

function uploadFields(fields: Record<string, string>) {
  const parsed = IngestFieldsSchema.safeParse(fields);
  if (parsed.error) throw invalidRequest(faultsOf(parsed.error, 'fields'));
  return withDefaults(parsed.data);
}

/** The fields of a form with what they stand for where they are absent. */
export function withDefaults<Fields extends Pick<IngestFields, 'metadata' | 'options'>>(fields: Fields) {
  return { ...fields, metadata: fields.metadata ?? {}, options: fields.options ?? {} };
}

/** A stored file as a request has it. Its name is a label: no path, and not what decides the type. */
export function uploadedAs(file: {
  original: StoredBytes;
  filename: string | undefined;
  mediaType: string | undefined;
}) {
  const label = file.filename
    ?.toWellFormed()
    .replaceAll(/\p{Cc}/gu, '')
    .slice(0, 255);
  return {
    source: { type: 'upload' as const, ...(label ? { filename: label } : {}) },
    // What a browser or curl says where it does not know is no hint.
    ...(file.mediaType && file.mediaType !== 'application/octet-stream' ? { declaredMediaType: file.mediaType } : {}),
    original: file.original,
  };
}
