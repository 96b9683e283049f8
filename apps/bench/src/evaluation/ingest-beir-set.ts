import type { Service } from '@semantic-memory/e2e/service';
import { type BeirSet, readBeirSet } from './beir-set.ts';
import { type Ingested, ingestDocuments } from './ingest-documents.ts';

/** A retrieval set that the service holds, in a namespace of its name. */
export interface IngestedSet extends BeirSet {
  readonly name: string;
  readonly ingested: Ingested;
  /** The service's id of a document of the corpus. @throws Error where the corpus has none such */
  documentIdOf(corpusId: string): string;
  /** And back. @throws Error for an id that was not ingested */
  corpusIdOf(documentId: string): string;
}

/** Ids of a corpus may have any characters, and two sets the same ones: the service's id is set and line. */
export async function ingestBeirSet(
  service: Service,
  { name, folder }: { readonly name: string; readonly folder: string },
): Promise<IngestedSet> {
  const set = await readBeirSet(folder);
  const documentIds = new Map(set.documents.map(({ id }, line) => [id, `${name}:${line}`]));
  const corpusIds = new Map([...documentIds].map(([corpusId, documentId]) => [documentId, corpusId]));
  if (documentIds.size < set.documents.length) throw new Error(`${folder}: two documents of the corpus have one id`);
  const ingested = await ingestDocuments(
    service,
    name,
    set.documents.map(({ id, title, text }) => ({
      ...{ documentId: documentIds.get(id) as string, title, text },
      mediaType: 'text/plain',
    })),
  );
  return {
    ...set,
    name,
    ingested,
    documentIdOf: (corpusId) => known(documentIds, corpusId, `${folder} judges a document that the corpus has not`),
    corpusIdOf: (documentId) => known(corpusIds, documentId, `a search of ${name} found what was not ingested`),
  };
}

function known(ids: ReadonlyMap<string, string>, id: string, fault: string): string {
  const other = ids.get(id);
  if (other === undefined) throw new Error(`${fault}: ${id}`);
  return other;
}
