import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MemoryError, toMemoryError } from '@semantic-memory/shared/contracts/errors';
import { archiveType } from '@semantic-memory/shared/contracts/http/transfer';
import { discardOriginal, type StoredBytes, storeOriginal } from '@semantic-memory/shared/ingest/accept-request';
import { jobPath, jobView } from '@semantic-memory/shared/ingest/jobs/job-view';
import { acceptImport } from '@semantic-memory/shared/ingest/transfer/accept-import';
import { exportNamespace } from '@semantic-memory/shared/ingest/transfer/export-namespace';
import type { ApiDeps } from '../api-deps.ts';
import { watchBody } from '../body-idle.ts';
import type { Handlers, RequestContext } from '../endpoint-handler.ts';
import { invalidRequest } from '../errors.ts';
import { readMultipart } from '../multipart.ts';

/** What senders call a tar, or say where they do not know. */
const archiveTypes = [archiveType, 'application/tar', 'application/octet-stream'];

export function transferHandlers(deps: ApiDeps): Pick<Handlers, 'adminExport' | 'adminImport'> {
  return {
    adminExport: (context, { query }) => sendArchive(deps, context, query.namespace),
    async adminImport(context, { query }) {
      const archive = await receiveArchive(deps, context);
      try {
        const job = await acceptImport(deps, context.tenant, archive, query.namespace);
        return { status: 202, body: jobView(job), headers: { location: jobPath(job.id) } };
      } catch (error) {
        // Nothing will claim the bytes.
        await discardOriginal(deps, archive);
        throw error;
      }
    },
  };
}

async function sendArchive(
  deps: ApiDeps,
  { tenant, request, response, signal, logger }: RequestContext,
  namespace: string,
): Promise<'written'> {
  const known = (await deps.ledger.namespaces(tenant)).find((one) => one.namespace === namespace);
  if (!known) throw new MemoryError('not_found', `There is no namespace ${namespace}.`);
  response.setHeader('content-type', archiveType);
  // Vectors are as good as random: to compress them only takes time.
  response.setHeader('cache-control', 'no-store, no-transform');
  response.setHeader('content-disposition', `attachment; filename="${namespace.replaceAll(/[^\w.@-]/g, '_')}.tar"`);
  if (request.method === 'HEAD') {
    response.end();
    return 'written';
  }
  const entries = exportNamespace({ ...deps, logger }, { tenant, namespace }, known.embeddingModel);
  try {
    await pipeline(deps.writeArchive(entries), response, { signal });
  } catch (error) {
    // The status is long sent: the archive without its end is all that the caller sees of it.
    if (!signal.aborted) logger.error('an export broke off', { error });
    throw error;
  }
  return 'written';
}

async function receiveArchive(deps: ApiDeps, context: RequestContext): Promise<StoredBytes> {
  const { request } = context;
  const mediaType = (request.headers['content-type'] ?? archiveType).replace(/;.*/s, '').trim().toLowerCase();
  if (mediaType === 'multipart/form-data') return receiveForm(deps, context);
  if (archiveTypes.includes(mediaType)) return receiveBody(deps, context);
  throw new MemoryError('unsupported_media_type', `The body comes as ${mediaType}, which is not understood here.`, {
    hint: `Send the archive as ${archiveType}, or as the file of a form.`,
    details: { detected: mediaType, supported: [...archiveTypes, 'multipart/form-data'] },
  });
}

async function receiveForm(deps: ApiDeps, { tenant, request }: RequestContext): Promise<StoredBytes> {
  const { maxArchiveBytes: maxFileBytes, uploadIdleMs: idleMs } = deps.limits;
  const stored: StoredBytes[] = [];
  try {
    const options = { fileField: 'file', maxFiles: 1, maxFieldBytes: 1024, maxFileBytes, idleMs };
    const { fields, files } = await readMultipart(request, options, async ({ stream }) => {
      const archive = await storeOriginal(deps, tenant, stream, maxFileBytes);
      stored.push(archive);
      return archive;
    });
    const unknown = Object.keys(fields).map((name) => ({ path: `fields.${name}`, message: 'is not known here' }));
    if (unknown.length > 0) throw invalidRequest(unknown);
    const [archive] = files;
    if (!archive) throw invalidRequest([{ path: 'files.file', message: 'is missing' }]);
    return archive;
  } catch (error) {
    await Promise.all(stored.map((archive) => discardOriginal(deps, archive)));
    throw error;
  }
}

async function receiveBody(deps: ApiDeps, { tenant, request }: RequestContext): Promise<StoredBytes> {
  const { maxArchiveBytes, uploadIdleMs } = deps.limits;
  if (Number(request.headers['content-length'] ?? 0) > maxArchiveBytes) throw tooLarge(maxArchiveBytes);
  // Between the two, so that the request itself stays open for its answer whatever becomes of the storing.
  const body = new PassThrough();
  const onClose = () => {
    if (!request.complete) body.destroy(new MemoryError('cancelled', 'The upload broke off before its end.'));
  };
  request.on('close', onClose);
  request.on('error', onClose);
  const stopWatching = watchBody(request, uploadIdleMs, () =>
    body.destroy(new MemoryError('invalid_request', `Nothing came for ${uploadIdleMs} ms.`)),
  );
  try {
    return await storeOriginal(deps, tenant, request.pipe(body), maxArchiveBytes);
  } catch (error) {
    throw toMemoryError(error).code === 'request_too_large' ? tooLarge(maxArchiveBytes) : error;
  } finally {
    request.unpipe(body);
    request.off('close', onClose);
    stopWatching();
  }
}

const tooLarge = (maxBytes: number) =>
  new MemoryError('request_too_large', `The archive is larger than ${maxBytes} bytes.`, {
    hint: 'MAX_IMPORT_BYTES says how large it may be.',
  });
