import type { SearchHit } from '@semantic-memory/shared/contracts/model/search';
import { marksIn } from './contents/mark.ts';
import { forgets, note, type RunState, violate } from './run-state.ts';
import { deletedAt, type Slot } from './slots.ts';

/**
 * Looks at what a search answered for what must never be there: another tenant's text, text of a document whose delete
 * was answered before the search was sent, text that was replaced, and text that was never accepted.
 */
export function inspectHits(state: RunState, tenant: string, hits: readonly SearchHit[], askedAt: number): void {
  for (const hit of hits) {
    for (const { index, ordinal } of marksIn(hit.text)) {
      const slot = state.slots.get(index);
      if (slot) inspectHit(state, tenant, slot, ordinal, hit, askedAt);
      else
        violate(state, 'unknown_text', `a hit of ${hit.documentId} has the mark of document ${index}, which is none`);
    }
  }
}

function inspectHit(
  state: RunState,
  tenant: string,
  slot: Slot,
  ordinal: number,
  hit: SearchHit,
  askedAt: number,
): void {
  const what = `${hit.documentId}@${hit.version} (${hit.chunkId})`;
  if (slot.tenant !== tenant) violate(state, 'other_tenant', `${tenant} was shown ${what} of ${slot.tenant}`, slot);
  if (slot.documentId !== undefined && slot.documentId !== hit.documentId) {
    violate(state, 'wrong_document', `${what} holds text of ${slot.documentId}`, slot);
  }
  const version = slot.versions.find((candidate) => candidate.ordinal === ordinal);
  if (!version) {
    if (slot.refused.has(ordinal)) violate(state, 'refused_found', `${what} was refused with 503, and is found`, slot);
    return;
  }
  const goneAt = deletedAt(slot, version);
  if (goneAt !== undefined && goneAt < askedAt) {
    violate(state, 'deleted_found', `${what} is found ${askedAt - goneAt} ms after its delete was answered`, slot);
  }
  const newer = slot.versions.find(
    ({ version: number, end }) => number > version.version && end?.state === 'succeeded' && end.seenAt < askedAt,
  );
  if (!newer) return;
  if (forgets(state, 'redis')) note(state, 'replaced versions found for a while');
  else violate(state, 'stale_found', `${what} is found although version ${newer.version} has succeeded`, slot);
}
