import { createReadStream } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { MemoryError } from '../contracts/errors.ts';
import type { JobWarning } from '../contracts/model/job.ts';
import type { GitFetcher, RepositoryFile } from '../ports/fetcher.ts';
import { acceptChild, findChild, joinParent } from './accept-child.ts';
import { storeOriginal } from './accept-request.ts';
import type { StepDeps } from './deps.ts';
import { listSkipped } from './jobs/listed-warnings.ts';
import { takeForStep } from './jobs/step-quota.ts';
import { childDocumentId } from './new-id.ts';
import { createPathFilter } from './path-filter.ts';
import { othersGoFirst, type StepContext, type StepResult } from './step.ts';
import { encodeJson, readJson } from './stored/artifacts.ts';
import { checkoutKey } from './stored/blob-keys.ts';

interface GitSource {
  readonly url: string;
  readonly ref?: string | undefined;
  readonly include?: string[] | undefined;
  readonly exclude?: string[] | undefined;
}

type Checkout = Awaited<ReturnType<GitFetcher['checkout']>>;

/** The commit that a job takes the files of. */
const CheckedOut = z.object({ schemaVersion: z.literal(1), commit: z.string() });
type CheckedOut = z.infer<typeof CheckedOut>;

/** A slice begins with a checkout, so it lasts at least so many times as long, and not less than so long. */
const slicePerCheckout = 3;
const leastSliceMs = 5_000;

/** Accepts each wanted file of a repository as a document of its own. */
export async function fetchRepository(deps: StepDeps, context: StepContext, source: GitSource): Promise<StepResult> {
  const { maxBytes } = deps.limits;
  const startedAt = deps.clock.now();
  const checkout = await checkOut(deps, context, source);
  const checkedOutAt = deps.clock.now();
  const sliceEndsAt = checkedOutAt + Math.max(leastSliceMs, slicePerCheckout * (checkedOutAt - startedAt));
  try {
    const files = await wantedFiles(checkout.files, source, context.signal);
    const warnings: JobWarning[] = [];
    for (const [index, file] of files.entries()) {
      if (file.bytes === 0) warnings.push({ code: 'skipped_empty', message: `${file.path} is empty.` });
      else if (file.bytes > maxBytes)
        warnings.push({ code: 'skipped_too_large', message: `${file.path} has ${file.bytes} bytes.` });
      else await acceptFile(deps, context, file, checkout.commit);
      await context.progress(index + 1, files.length);
      const othersWait = await context.checkpoint();
      if (othersWait && deps.clock.now() > sliceEndsAt) throw othersGoFirst();
    }
    if (files.length === 0) {
      throw new MemoryError('empty_document', 'The repository has no file that was asked for.', {
        hint: 'Check ref, include and exclude.',
      });
    }
    return { facts: { manyDocuments: true }, warnings: listSkipped(warnings) };
  } finally {
    await checkout.dispose();
  }
}

/** How many paths are compared with the patterns before anything else gets its turn. */
const pathsInARow = 500;

/** Somebody's hundred patterns on somebody's hundred thousand files take a while, in which the process has more to do. */
async function wantedFiles(files: readonly RepositoryFile[], { include, exclude }: GitSource, signal: AbortSignal) {
  const wanted = createPathFilter(include, exclude);
  const found: RepositoryFile[] = [];
  for (const [index, file] of files.entries()) {
    if (index % pathsInARow === 0) {
      await setImmediate();
      signal.throwIfAborted();
    }
    if (wanted(file.path)) found.push(file);
  }
  return found;
}

/**
 * The files of one commit, the same each time that the job fetches: the first one it has seen. A branch that has moved on
 * since is another job's.
 */
async function checkOut(deps: StepDeps, { payload, signal }: StepContext, { url, ref }: GitSource): Promise<Checkout> {
  const { maxBytes, fetchMs } = deps.limits;
  await takeForStep(deps, payload.tenant, { bytes: 0 });
  // A repository is many documents: its whole may be as large as ten of the largest.
  const limits = { maxBytes: maxBytes * 10, timeoutMs: fetchMs };
  const checkout = await deps.git.checkout({ url, ref }, limits, signal);
  const { commit } = checkout;
  try {
    const mine: CheckedOut = { schemaVersion: 1, commit };
    const isFirst = await deps.blobs.putIfAbsent(checkoutKey(payload), encodeJson(mine));
    const chosen = isFirst ? mine : await readJson(deps.blobs, checkoutKey(payload), CheckedOut);
    if (!chosen) throw new MemoryError('not_found', `Job ${payload.jobId} is gone.`);
    if (chosen.commit === commit) return checkout;
    await checkout.dispose();
    return await deps.git.checkout({ url, ref: chosen.commit }, limits, signal);
  } catch (error) {
    await checkout.dispose();
    throw error;
  }
}

/** Accepts one file as a document of its own, once, however often and by how many workers that is done. */
async function acceptFile(deps: StepDeps, { payload, manifest }: StepContext, file: RepositoryFile, commit: string) {
  const child = await findChild(deps, payload, file.path, childDocumentId(payload.documentId, file.path));
  if (!child.job) {
    const original = await storeOriginal(deps, payload.tenant, createReadStream(file.localPath), deps.limits.maxBytes);
    const job = await acceptChild(deps, payload, child, {
      title: file.path,
      metadata: { ...manifest.metadata, path: file.path, commit },
      priority: manifest.priority,
      options: manifest.options,
      source: { type: 'upload', filename: file.path.split('/').at(-1)! },
      original,
    });
    await deps.quotas?.count(payload.tenant, { bytes: original.bytes });
    if (!job) return;
  }
  await joinParent(deps, payload, child);
}
