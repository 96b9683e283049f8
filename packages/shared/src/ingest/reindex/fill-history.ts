import type { DocumentRow } from '../../ports/ledger.ts';
import type { CollectionKey } from '../../ports/vector-index.ts';
import type { StepDeps } from '../deps.ts';
import { addToHistory } from '../versions/retire.ts';
import { embedVersion } from './embed-version.ts';

type HistoryDeps = Pick<
  StepDeps,
  'blobs' | 'ledger' | 'metrics' | 'embedderFor' | 'vectors' | 'indexWriter' | 'logger' | 'quotas'
>;

/** The history of a namespace by another model: the versions that were active before and are still kept. */
export interface HistoryFill {
  isThere(row: DocumentRow): boolean;
  bringUp(row: DocumentRow, signal: AbortSignal): Promise<void>;
}

/** Looks what a model's history has, to fill it with the rest. */
export async function openHistoryFill(
  deps: HistoryDeps,
  { tenant, namespace, model }: CollectionKey,
): Promise<HistoryFill> {
  const key: CollectionKey = { tenant, namespace, model, history: true };
  const there = new Set<string>();
  // What was cut off in the middle of a version is completed by the reconciler, as any history.
  for (const { documentId, version } of (await deps.vectors.versions(key)).values())
    there.add(nameOf(documentId, version));

  const isKept = async (documentId: string, version: number) =>
    (await deps.ledger.getDocument(tenant, documentId))?.versions.some((known) => known.version === version) ?? false;

  return {
    isThere: ({ documentId, former = [] }) => former.every(([version]) => there.has(nameOf(documentId, version))),
    async bringUp({ documentId, activeFrom: activeSince, former }, signal) {
      // A row that is not there has former versions, and is of a document that is active.
      for (const [at, [version, from]] of former!.entries()) {
        if (there.has(nameOf(documentId, version))) continue;
        const embedded = await embedVersion(deps, { tenant, documentId, version }, model, signal);
        const to = former![at - 1]?.[1] ?? activeSince!;
        if (embedded) await addToHistory(deps, namespace, embedded, { from, to });
        // Deleted, or expired, while it was written: whoever did that may have looked before.
        if (!(await isKept(documentId, version))) await deps.vectors.removeDocument(key, documentId, version);
        there.add(nameOf(documentId, version));
      }
    },
  };
}

const nameOf = (documentId: string, version: number) => `${documentId}@${version}`;
