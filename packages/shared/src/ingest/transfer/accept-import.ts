import { MemoryError } from '../../contracts/errors.ts';
import type { ReadArchive } from '../../ports/archive.ts';
import type { Embedder } from '../../ports/embedder.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import { type AcceptDeps, accept } from '../accept.ts';
import type { StoredBytes } from '../accept-request.ts';
import { assertServed } from '../assert-served.ts';
import { namespaceDocumentId } from '../new-id.ts';
import { otherModel } from './import-document.ts';
import { readArchiveHeader } from './read-archive.ts';

export interface AcceptImportDeps extends AcceptDeps {
  readonly readArchive: ReadArchive;
  readonly embedderFor: (model: string) => Embedder | undefined;
}

/**
 * Accepts the archive of a namespace: it is in the blob store and begins with what says what it is. Everything else is
 * checked by the job, before it does anything.
 * @param namespace where it goes; the exported one's name where absent
 * @throws MemoryError `unprocessable` where it is no archive of ours or this service has not its model, `conflict` where
 * the namespace has another model
 */
export async function acceptImport(
  deps: AcceptImportDeps,
  tenant: string,
  archive: StoredBytes,
  namespace: string | undefined,
): Promise<JobRecord> {
  const stored = await deps.blobs.getStream(archive.key);
  if (!stored) throw new MemoryError('internal', 'The archive is not where it was stored.');
  const header = await readArchiveHeader(deps.readArchive(stored.stream));
  const target = namespace ?? header.namespace;
  const known = (await deps.ledger.namespaces(tenant)).find((one) => one.namespace === target);
  if (known && known.embeddingModel !== header.embeddingModel)
    throw otherModel(known.embeddingModel, header.embeddingModel);
  assertServed(deps.embedderFor, header.embeddingModel, {
    what: `The vectors are of the model ${header.embeddingModel}, which is not configured here.`,
    hint: 'Set OPENAI_API_KEY or OPENAI_BASE_URL for the endpoint that serves it, and import again.',
  });
  // A namespace that is new begins with the archive's model.
  return accept(
    { ...deps, embeddingModel: header.embeddingModel },
    {
      tenant,
      namespace: target,
      documentId: namespaceDocumentId(target),
      metadata: {},
      priority: 'normal',
      options: {},
      source: { type: 'import' },
      original: archive,
    },
  );
}
