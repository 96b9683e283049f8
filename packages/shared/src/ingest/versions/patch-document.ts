import { z } from 'zod';
import { MemoryError } from '../../contracts/errors.ts';
import { Metadata, Timestamp } from '../../contracts/model/ids.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { DocumentPatch, DocumentRecord } from '../../ports/ledger.ts';
import type { LexicalIndex } from '../../ports/lexical-index.ts';
import type { IngestDeps } from '../deps.ts';
import { restorePostings } from '../index/postings.ts';
import { encodeJson, readJson } from '../stored/artifacts.ts';
import { documentPrefix, patchKey } from '../stored/blob-keys.ts';

const wish = <Value extends z.ZodType>(value: Value) => z.object({ value, upToVersion: z.int().min(0) }).optional();

export const PatchRecord = z
  .object({
    schemaVersion: z.literal(1),
    title: wish(z.string()),
    metadata: wish(Metadata),
    at: Timestamp,
  })
  .describe('The sum of what callers wished a document to be called, durably.');
export type PatchRecord = z.infer<typeof PatchRecord>;

/** A document that is changed by this many callers in the very same moment is refused some of them. */
const maxAttempts = 50;

/**
 * Changes what a document is called: first the durable fact, then its words, then the ledger. Each record is numbered and
 * holds the sum of those before it, so that of two changes at the same time none is lost. Where the process dies on the way
 * the ledger does not say what the fact says, which the reconciler sees.
 * @returns undefined where there is no such document
 */
export async function patchDocument(
  deps: Pick<IngestDeps, 'blobs' | 'ledger' | 'clock'> & { readonly lexical: LexicalIndex },
  tenant: string,
  documentId: string,
  change: { readonly title?: string | undefined; readonly metadata?: Metadata | undefined },
): Promise<DocumentRecord | undefined> {
  let document = await deps.ledger.getDocument(tenant, documentId);
  if (!document) return undefined;
  const upToVersion = document.latestVersion;
  const mine: DocumentPatch = {
    ...(change.title === undefined ? {} : { title: { value: change.title, upToVersion } }),
    ...(change.metadata === undefined ? {} : { metadata: { value: change.metadata, upToVersion } }),
  };
  const at = new Date(deps.clock.now()).toISOString();
  let stored = await store(deps.blobs, tenant, documentId, mine, at);
  for (;;) {
    const renamed = { ...document, title: stored.record.title?.value ?? document.title };
    // A vector keeps the title that it was made with; words follow the new one at once.
    const hasWords = await followTitle(deps, change, renamed);
    const patched = await deps.ledger.patchDocument(tenant, documentId, stored.record, at);
    if (!patched) {
      // Deleted meanwhile: nothing of it may stay.
      await deps.blobs.remove(patchKey(tenant, documentId, stored.number));
      return undefined;
    }
    // Another version may have been activated meanwhile.
    const isSame = patched.activeVersion === renamed.activeVersion && patched.title === renamed.title;
    if (!hasWords || !isSame) await followTitle(deps, change, patched);
    // One that came after ours may have reached the ledger before it.
    const latest = await readLatestPatch(deps.blobs, tenant, documentId);
    if (!latest || latest.number <= stored.number) return patched;
    stored = latest;
    document = patched;
  }
}

/** @returns whether words find the active version by the title */
async function followTitle(
  deps: Pick<IngestDeps, 'blobs'> & { readonly lexical: LexicalIndex },
  { title }: { readonly title?: string | undefined },
  document: DocumentRecord,
): Promise<boolean> {
  return title !== undefined && document.activeVersion > 0 && restorePostings(deps, document, document);
}

interface Numbered {
  readonly number: number;
  readonly record: PatchRecord;
}

async function store(
  blobs: BlobStore,
  tenant: string,
  documentId: string,
  mine: DocumentPatch,
  at: string,
): Promise<Numbered> {
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    const before = await readLatestPatch(blobs, tenant, documentId);
    const number = (before?.number ?? 0) + 1;
    const record: PatchRecord = { ...before?.record, ...mine, schemaVersion: 1, at };
    if (await blobs.putIfAbsent(patchKey(tenant, documentId, number), encodeJson(record))) return { number, record };
  }
  throw new MemoryError('conflict', `Document ${documentId} is being changed by many others.`, {
    hint: 'Ask again in a moment.',
  });
}

const patchName = /^patch-(\d+)\.json$/;

/** The number of a patch by its key, or undefined where the key is not one of a patch. @param prefix of the document */
export function patchNumber(prefix: string, key: string): number | undefined {
  const found = patchName.exec(key.slice(prefix.length))?.[1];
  return found === undefined ? undefined : Number(found);
}

async function readLatestPatch(blobs: BlobStore, tenant: string, documentId: string): Promise<Numbered | undefined> {
  const prefix = documentPrefix(tenant, documentId);
  let number = 0;
  for await (const key of blobs.list(prefix)) number = Math.max(number, patchNumber(prefix, key) ?? 0);
  if (number === 0) return undefined;
  const record = await readPatch(blobs, tenant, documentId, number);
  return record && { number, record };
}

export const readPatch = (blobs: BlobStore, tenant: string, documentId: string, number: number) =>
  readJson(blobs, patchKey(tenant, documentId, number), PatchRecord);
