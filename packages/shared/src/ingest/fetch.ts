import { createReadStream } from 'node:fs';
import { MemoryError } from '../contracts/errors.ts';
import type { JobWarning } from '../contracts/model/job.ts';
import type { RepositoryFile } from '../ports/fetcher.ts';
import { accept, storeOriginal } from './accept.ts';
import type { StepDeps } from './deps.ts';
import { childDocumentId, childJobId } from './new-id.ts';
import { createPathFilter } from './path-filter.ts';
import type { Step, StepContext, StepResult } from './step.ts';
import { encodeJson, readFetched, type StoredOriginal } from './stored/artifacts.ts';
import { fetchedKey, originalKey } from './stored/blob-keys.ts';

/** Gets the bytes of a source that did not come with the request. The only step with a way out to the internet. */
export const fetchStep: Step = async (deps, context) => {
  const { source } = context.manifest;
  switch (source.type) {
    case 'upload':
    // An archive has a step of its own.
    case 'import':
      return {};
    case 'url':
      return fetchUrl(deps, context, source.url);
    case 'git':
      return fetchRepository(deps, context, source);
    case 's3':
      throw new MemoryError('fetch_failed', 'This server has no access to S3.', {
        hint: 'Send the object as a file, or by a signed URL.',
      });
    default: {
      const never: never = source;
      throw new Error(`unknown source ${String(never)}`);
    }
  }
};

async function fetchUrl(deps: StepDeps, context: StepContext, url: string): Promise<StepResult> {
  const { payload } = context;
  if (await readFetched(deps.blobs, payload)) return {};
  const { maxBytes, fetchMs } = deps.limits;
  const answer = await deps.web.fetch(url, { maxBytes, timeoutMs: fetchMs }, context.signal);
  const key = originalKey(payload);
  const stored = await deps.blobs.putStream(key, answer.body, { maxBytes }).catch((error: unknown) => {
    if (error instanceof MemoryError && error.code === 'request_too_large') {
      throw new MemoryError('too_large', `The document at the address is larger than ${maxBytes} bytes.`, {
        cause: error,
      });
    }
    throw error;
  });
  const original: StoredOriginal = {
    key,
    ...stored,
    ...(answer.mediaType ? { mediaType: answer.mediaType } : {}),
    ...(answer.filename ? { filename: answer.filename } : {}),
  };
  await deps.blobs.put(fetchedKey(payload), encodeJson(original));
  const { bytes, sha256 } = stored;
  await deps.ledger.describeVersion(payload, payload.documentId, payload.version, { bytes, sha256 });
  await context.progress(bytes, bytes);
  return {};
}

async function fetchRepository(
  deps: StepDeps,
  context: StepContext,
  source: { url: string; ref?: string | undefined; include?: string[] | undefined; exclude?: string[] | undefined },
): Promise<StepResult> {
  const { maxBytes, fetchMs } = deps.limits;
  // A repository is many documents: its whole may be as large as ten of the largest.
  const limits = { maxBytes: maxBytes * 10, timeoutMs: fetchMs };
  const checkout = await deps.git.checkout({ url: source.url, ref: source.ref }, limits, context.signal);
  try {
    const wanted = createPathFilter(source.include, source.exclude);
    const files = checkout.files.filter((file) => wanted(file.path));
    const warnings: JobWarning[] = [];
    for (const [index, file] of files.entries()) {
      if (file.bytes === 0) warnings.push({ code: 'skipped_empty', message: `${file.path} is empty.` });
      else if (file.bytes > maxBytes)
        warnings.push({ code: 'skipped_too_large', message: `${file.path} has ${file.bytes} bytes.` });
      else await acceptFile(deps, context, file, checkout.commit);
      await context.progress(index + 1, files.length);
    }
    if (files.length === 0) {
      throw new MemoryError('empty_document', 'The repository has no file that was asked for.', {
        hint: 'Check ref, include and exclude.',
      });
    }
    return { facts: { manyDocuments: true }, warnings };
  } finally {
    await checkout.dispose();
  }
}

/** Accepts one file as a document of its own. The ids follow from job and path, so that doing it again makes nothing new. */
async function acceptFile(deps: StepDeps, { payload, manifest }: StepContext, file: RepositoryFile, commit: string) {
  const jobId = childJobId(payload.jobId, payload.run, file.path);
  if (!(await deps.ledger.getJob(payload.tenant, jobId))) {
    const original = await storeOriginal(deps, payload.tenant, createReadStream(file.localPath), deps.limits.maxBytes);
    await accept(deps, {
      tenant: payload.tenant,
      namespace: payload.namespace,
      documentId: childDocumentId(payload.documentId, file.path),
      jobId,
      title: file.path,
      metadata: { ...manifest.metadata, path: file.path, commit },
      priority: manifest.priority,
      options: manifest.options,
      source: { type: 'upload', filename: file.path.split('/').at(-1) ?? file.path },
      original,
      parentJobId: payload.jobId,
    });
  }
  await deps.ledger.addChild(payload.tenant, payload.jobId, jobId);
}
