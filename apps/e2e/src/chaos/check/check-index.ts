import { collectionName } from '@semantic-memory/adapters/chroma/collections';
import { createFilesystemBlobStore } from '@semantic-memory/adapters/filesystem/blob-store';
import { readChunkSet } from '@semantic-memory/shared/ingest/stored/artifacts';
import { marksIn } from '../contents/mark.ts';
import { type RunState, violate } from '../run-state.ts';
import { deletedAt, type Slot } from '../slots.ts';
import type { ActiveDocument } from './check-documents.ts';
import { type ChromaRecord, listCollections, recordsOf } from './chroma-records.ts';

/**
 * The ids of the chunks are the same in Chroma, in the artifacts and in what the API says: each once, none missing,
 * none left over. No collection holds anything of what was deleted or refused.
 */
export async function checkIndex(state: RunState, active: readonly ActiveDocument[]): Promise<void> {
  const blobs = createFilesystemBlobStore(state.fleet.blobDir);
  const expected = new Map<string, Map<string, ActiveDocument>>();
  for (const one of active) {
    const { slot, document, chunks } = one;
    const set = await readChunkSet(blobs, { tenant: slot.tenant, documentId: document.id, version: document.version });
    const inArtifacts = (set?.chunks ?? []).map(({ chunkId }) => chunkId);
    const inApi = chunks.map(({ chunkId }) => chunkId);
    if (inArtifacts.join() !== inApi.join()) {
      violate(state, 'wrong_index', `${document.id}: the API lists other chunks than the artifacts hold`, slot);
    }
    const name = collectionName({ tenant: slot.tenant, namespace: slot.namespace, model: set?.model ?? '' });
    const ids = expected.get(name) ?? new Map<string, ActiveDocument>();
    for (const id of inArtifacts) ids.set(id, one);
    expected.set(name, ids);
  }
  const collections = await listCollections(state.fleet.chroma.port);
  for (const name of expected.keys()) {
    if (!collections.some((collection) => collection.name === name))
      violate(state, 'wrong_index', `Chroma has no collection ${name}`);
  }
  for (const { id, name } of collections) {
    const records = await recordsOf(state.fleet.chroma.port, id);
    const ids = new Set(records.map((record) => record.id));
    if (ids.size !== records.length)
      violate(state, 'doubled', `collection ${name} holds ${records.length - ids.size} ids twice`);
    for (const record of records) checkMarks(state, record.text, `record ${record.id} in collection ${name}`);
    const wanted = expected.get(name);
    if (!wanted) continue;
    const missing = Map.groupBy(
      [...wanted].filter(([chunkId]) => !ids.has(chunkId)),
      ([, one]) => one,
    );
    for (const [{ slot, document }, chunks] of missing) {
      const message = `${document.id}@${document.version}: ${chunks.length} of its chunks are not in Chroma`;
      violate(state, 'wrong_index', `${message} (${chunks[0]?.[0]})`, slot);
    }
    const left = Map.groupBy(
      records.filter((record) => !wanted.has(record.id)),
      (record) => String(record.metadata.dv),
    );
    for (const [version, extra] of left) {
      const message = `Chroma holds ${extra.length} chunks of ${version}, which is not active`;
      violate(state, 'wrong_index', `${message} (${extra[0]?.id})`, slotOf(state, extra[0]));
    }
  }
}

function slotOf(state: RunState, record: ChromaRecord | undefined): Slot | undefined {
  const [mark] = marksIn(record?.text ?? '');
  return mark && state.slots.get(mark.index);
}

/** Text of what was deleted or refused must be nowhere. */
export function checkMarks(state: RunState, text: string, where: string): void {
  for (const { index, ordinal } of marksIn(text)) {
    const slot = state.slots.get(index);
    if (!slot) continue;
    const version = slot.versions.find((candidate) => candidate.ordinal === ordinal);
    if (version && deletedAt(slot, version) !== undefined) {
      violate(
        state,
        'deleted_left',
        `${where} holds text of ${slot.documentId}@${version.version}, which was deleted`,
        slot,
      );
    }
    if (!version && slot.refused.has(ordinal)) {
      violate(state, 'refused_left', `${where} holds text that was refused with 503`, slot);
    }
  }
}
