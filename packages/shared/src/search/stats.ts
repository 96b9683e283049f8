import type { Stats } from '../contracts/model/search.ts';
import type { DocumentRow, Ledger } from '../ports/ledger.ts';
import type { LexicalIndex } from '../ports/lexical-index.ts';
import type { VectorIndex } from '../ports/vector-index.ts';
import type { DocumentTable } from './document-table.ts';

export interface StatsDeps {
  readonly ledger: Pick<Ledger, 'namespaces' | 'documentChanges'>;
  readonly vectors: Pick<VectorIndex, 'count'>;
  readonly lexical: Pick<LexicalIndex, 'count'>;
  /** Saves reading a namespace's documents in whole. */
  readonly table?: DocumentTable;
}

type NamespaceStats = Stats['namespaces'][number];

const agrees = ({ chunks, vectors, postings }: NamespaceStats) => chunks === vectors && chunks === postings;

async function countNamespace(
  deps: StatsDeps,
  tenant: string,
  namespace: string,
  model: string,
): Promise<{ counted: NamespaceStats; isWhole: boolean }> {
  const scope = { tenant, namespace };
  const found = await (deps.table ? deps.table.refresh(scope) : deps.ledger.documentChanges(scope, undefined));
  // From the start, and from the table, only those of documents with an active version.
  const rows: DocumentRow[] = [...found.rows.values()];
  const documents = rows.length;
  const chunks = rows.reduce((sum, row) => sum + row.chunks, 0);
  const vectors = await deps.vectors.count({ ...scope, model });
  const postings = await deps.lexical.count(scope);
  const counted = { namespace, documents, chunks, vectors, postings };
  // The same number of other records, or a lack that could not be made up for, is known from the last comparison.
  return { counted, isWhole: agrees(counted) && !found.indexIncomplete };
}

/**
 * What a tenant's memory holds, counted in each store: documents and chunks of active versions in the ledger, vectors
 * and postings (chunks that words find) in the indexes. `consistent` says whether they agree in every namespace, as far
 * as is known; while a version is being written they do not.
 * @throws MemoryError `dependency_unavailable`.
 */
export async function stats(deps: StatsDeps, tenant: string): Promise<Stats> {
  const namespaces: NamespaceStats[] = [];
  let consistent = true;
  for (const { namespace, embeddingModel } of await deps.ledger.namespaces(tenant)) {
    let found = await countNamespace(deps, tenant, namespace, embeddingModel);
    // A commit between the two counts looks like a difference: only one that is seen twice is believed.
    if (!found.isWhole) found = await countNamespace(deps, tenant, namespace, embeddingModel);
    namespaces.push(found.counted);
    consistent &&= found.isWhole;
  }
  const sum = (field: 'documents' | 'chunks' | 'vectors' | 'postings') =>
    namespaces.reduce((total, one) => total + one[field], 0);
  return {
    documents: sum('documents'),
    chunks: sum('chunks'),
    vectors: sum('vectors'),
    postings: sum('postings'),
    namespaces,
    consistent,
  };
}
