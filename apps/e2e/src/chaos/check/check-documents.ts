import type { Client } from '@semantic-memory/client/client';
import type { Document, DocumentChunk } from '@semantic-memory/shared/contracts/model/document';
import { tenants } from '../operations.ts';
import { type RunState, violate } from '../run-state.ts';
import { type AcceptedVersion, livingVersions, type Slot } from '../slots.ts';
import { inBatches } from '../watcher.ts';

/** A document that a search can find, with the version and the chunks that the service says are active. */
export interface ActiveDocument {
  readonly slot: Slot;
  readonly document: Document;
  readonly chunks: readonly DocumentChunk[];
}

/**
 * Every accepted document is listed once, in the state and the version that follow from what was sent, and its text is
 * what was sent. Nothing else is listed.
 */
export async function checkDocuments(state: RunState): Promise<ActiveDocument[]> {
  const active: ActiveDocument[] = [];
  for (const tenant of tenants) {
    const client = state.clientOf(tenant);
    const listed = new Map<string, Document>();
    for await (const document of client.allDocuments({ limit: 200 })) {
      if (listed.has(document.id)) violate(state, 'doubled', `${document.id} is listed twice`);
      listed.set(document.id, document);
    }
    const slots = [...state.slots.values()].filter((slot) => slot.tenant === tenant);
    await inBatches(slots, 6, async (slot) => {
      const { documentId } = slot;
      const document = documentId === undefined ? undefined : listed.get(documentId);
      if (documentId !== undefined) listed.delete(documentId);
      const expected = livingVersions(slot);
      if (expected.length === 0) {
        if (document && !slot.doubtful)
          violate(state, slot.lives > 0 ? 'deleted_found' : 'refused_found', `${documentId} is listed`, slot);
        return;
      }
      if (!document) violate(state, 'document_lost', `${documentId} is not listed`, slot);
      else {
        const found = await checkDocument(state, client, slot, document, expected);
        if (found) active.push(found);
      }
    });
    for (const document of listed.values()) {
      violate(state, 'doubled', `${document.id} (${document.state}) is listed, and no request was answered with it`);
    }
  }
  return active;
}

async function checkDocument(
  state: RunState,
  client: Client,
  slot: Slot,
  document: Document,
  versions: readonly AcceptedVersion[],
): Promise<ActiveDocument | undefined> {
  const newest = versions.findLast(({ end }) => end?.state === 'succeeded');
  if (!newest) {
    if (document.state === 'active')
      violate(state, 'false_state', `${document.id} is active, and no version of it has succeeded`, slot);
    return undefined;
  }
  if (document.state !== 'active') {
    violate(
      state,
      'false_state',
      `${document.id} is ${document.state}, and version ${newest.version} has succeeded`,
      slot,
    );
    return undefined;
  }
  if (document.version !== newest.version && !slot.doubtful) {
    violate(
      state,
      'false_state',
      `version ${document.version} of ${document.id} is active in place of ${newest.version}`,
      slot,
    );
    return undefined;
  }
  if (document.sha256 !== newest.content.sha256)
    violate(state, 'wrong_content', `${document.id} has another sha256 than was sent`, slot);
  const { items } = await client.versions(document.id);
  const activeOnes = items.filter(({ active }) => active).map(({ version }) => version);
  if (activeOnes.join() !== String(document.version)) {
    violate(
      state,
      'false_state',
      `${document.id}: version ${document.version} is active, and listed are ${activeOnes.join()}`,
      slot,
    );
  }
  const chunks = await allChunks(client, document.id);
  if (chunks.length !== document.chunks || chunks.length === 0) {
    violate(state, 'false_state', `${document.id} says ${document.chunks} chunks and lists ${chunks.length}`, slot);
  }
  const text = await client.text(document.id);
  checkText(state, slot, document.id, text, newest);
  for (const chunk of chunks) {
    if (text.slice(chunk.span.start, chunk.span.end) === chunk.text) continue;
    violate(state, 'wrong_content', `chunk ${chunk.index} of ${document.id} is not what its span says`, slot);
  }
  return { slot, document, chunks };
}

/** OCR misreads a word now and then. */
const wordsRead = 0.8;

function checkText(state: RunState, slot: Slot, documentId: string, text: string, { content }: AcceptedVersion): void {
  const words = new Set(wordsOf(text));
  const plain = wordsOf(text).join(' ');
  for (const sentence of content.sentences) {
    const expected = wordsOf(sentence);
    const missing = expected.filter((word) => !words.has(word));
    const isThere = content.readByOcr
      ? missing.length <= expected.length * (1 - wordsRead)
      : plain.includes(expected.join(' '));
    if (isThere) continue;
    violate(
      state,
      'wrong_content',
      `the text of ${documentId} (${content.kind}) lacks what was sent: ${sentence}`,
      slot,
    );
    return;
  }
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

async function allChunks(client: Client, documentId: string): Promise<DocumentChunk[]> {
  const chunks: DocumentChunk[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await client.chunks(documentId, { limit: 200, cursor });
    chunks.push(...page.items);
    cursor = page.nextCursor;
    if (cursor === undefined) return chunks;
  }
}
