import { createHash } from 'node:crypto';
import { z } from 'zod';
import { MemoryError } from '../../contracts/errors.ts';
import type { ArchivedDocument } from '../../contracts/model/archive.ts';
import { type Child, findChild, joinParent } from '../accept-child.ts';
import { type StoredBytes, storeOriginal } from '../accept-request.ts';
import type { StepDeps } from '../deps.ts';
import { createModelDimensions } from '../index/model-dimension.ts';
import { othersGoFirst, type Step, type StepContext } from '../step.ts';
import { encodeJson, readJson } from '../stored/artifacts.ts';
import { checkedKey } from '../stored/blob-keys.ts';
import { acceptArchived } from './import-document.ts';
import { type KeepOriginal, readArchivedDocuments } from './read-archive.ts';

/** After so long the step lets others go first; it goes on behind what it has accepted. */
const sliceMs = 60_000;
const listedConflicts = 50;

/** That an archive was read to its end and found good, and what it holds. */
const Checked = z.object({ schemaVersion: z.literal(1), documents: z.int(), dimension: z.int().optional() });
type Checked = z.infer<typeof Checked>;

/**
 * Takes in the documents of an archive: first all of it is read and checked, and nothing is done where anything is wrong;
 * then each document is accepted as a version with all its artifacts, so that nothing is read or embedded, and indexed
 * as any other. The ids of the jobs follow from job and document: doing it again makes nothing new.
 * @throws MemoryError `unprocessable` where the archive is damaged or not one of ours, `conflict` where documents in it
 * are in another namespace of the tenant, or the vectors are of another model than the namespace's
 */
export const importStep: Step = async (deps, context) => {
  const { manifest } = context;
  const model = manifest.embeddingModel;
  let checked: Checked;
  try {
    checked = await check(deps, context);
  } catch (error) {
    // Trying again finds the same: nobody needs the archive any more.
    if (error instanceof MemoryError && error.retry.kind === 'never') await removeArchive(deps, manifest);
    throw error;
  }
  // Told by the vectors that are there: nobody need ask the model.
  if (checked.dimension !== undefined) await createModelDimensions(deps.blobs).agree(model, checked.dimension);
  await acceptAll(deps, context, checked.documents);
  return { facts: { manyDocuments: true } };
};

/** Lets go of the bytes of an archive, once nobody will read it again. */
export const removeArchive = async (
  { blobs }: Pick<StepDeps, 'blobs'>,
  { original }: StepContext['manifest'],
): Promise<void> => {
  // An import never comes without.
  await blobs.remove(original!.key);
};

async function openArchive(deps: StepDeps, { manifest }: StepContext) {
  const archive = await deps.blobs.getStream(manifest.original!.key);
  if (archive) return deps.readArchive(archive.stream);
  throw new MemoryError('unprocessable', 'The archive is not kept any more.', { hint: 'Send it again.' });
}

async function check(deps: StepDeps, context: StepContext): Promise<Checked> {
  const { payload, manifest, signal } = context;
  const before = await readJson(deps.blobs, checkedKey(payload), Checked);
  if (before) return before;
  const hashOnly: KeepOriginal<undefined> = async (_document, body) => ({
    sha256: await hashOf(body),
    kept: undefined,
  });
  const elsewhere: string[] = [];
  let documents = 0;
  let dimension: number | undefined;
  for await (const { document } of readArchivedDocuments(await openArchive(deps, context), deps.limits, hashOnly)) {
    signal.throwIfAborted();
    documents += 1;
    dimension ??= document.dimension;
    await assertDimension(deps, manifest.embeddingModel, document, dimension);
    const known = await deps.ledger.getDocument(payload.tenant, document.documentId);
    if (known && known.namespace !== payload.namespace) elsewhere.push(document.documentId);
  }
  if (elsewhere.length > 0) {
    const listed = elsewhere.slice(0, listedConflicts);
    const more = elsewhere.length > listed.length ? ` and ${elsewhere.length - listed.length} more` : '';
    throw new MemoryError('conflict', `These documents are in another namespace: ${listed.join(', ')}${more}.`, {
      hint: 'Delete them, or import into the namespace that has them. Nothing was imported.',
    });
  }
  const checked: Checked = { schemaVersion: 1, documents, ...(dimension === undefined ? {} : { dimension }) };
  await deps.blobs.put(checkedKey(payload), encodeJson(checked));
  return checked;
}

/** Vectors of two lengths in one index would spoil it. */
async function assertDimension(deps: StepDeps, model: string, document: ArchivedDocument, first: number) {
  const known = (await createModelDimensions(deps.blobs).known(model)) || deps.embedderFor(model).dimension || first;
  if (document.dimension === known) return;
  throw new MemoryError(
    'unprocessable',
    `The vectors of ${document.documentId} have ${document.dimension} numbers; those of ${model} have ${known}.`,
    { hint: 'The archive was made with another model under the same name. Nothing was imported.' },
  );
}

async function acceptAll(deps: StepDeps, context: StepContext, documents: number): Promise<void> {
  const { payload, signal } = context;
  const startedAt = deps.clock.now();
  const keep: KeepOriginal<{ child: Child; original?: StoredBytes }> = async ({ documentId }, body) => {
    const child = await findChild(deps, payload, documentId, documentId);
    if (child.job) return { sha256: await hashOf(body), kept: { child } };
    const original = await storeOriginal(deps, payload.tenant, body, deps.limits.maxBytes);
    return { sha256: original.sha256, kept: { child, original } };
  };
  let accepted = 0;
  for await (const archived of readArchivedDocuments(await openArchive(deps, context), deps.limits, keep)) {
    signal.throwIfAborted();
    const { child, original } = archived.kept;
    const isThere = !original || (await acceptArchived(deps, context, child, { ...archived, original }));
    if (isThere) await joinParent(deps, payload, child);
    accepted += 1;
    await context.progress(accepted, documents);
    const makesWay = (await context.checkpoint()) || deps.clock.now() - startedAt > sliceMs;
    if (makesWay && accepted < documents) throw othersGoFirst();
  }
}

async function hashOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of body) hash.update(piece);
  return hash.digest('hex');
}
