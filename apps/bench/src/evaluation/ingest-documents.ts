import type { Service } from '@semantic-memory/e2e/service';
import type { Source } from '@semantic-memory/shared/contracts/model/source';
import { ingestAll } from '../ingest-all.ts';

const batchItems = 250;

export interface TextDocument {
  readonly documentId: string;
  readonly title: string;
  readonly text: string;
  readonly mediaType: string;
}

export interface Ingested {
  readonly documents: number;
  readonly chunks: number;
  /** Undefined where they were there from an earlier run. */
  readonly ingestSeconds?: number;
  /** How many documents ended so, where any ended otherwise than `succeeded`. */
  readonly notSucceeded?: Readonly<Record<string, number>>;
}

/**
 * Ingests the documents through the public API and waits until each job has ended. A namespace that holds as many
 * documents already is taken as it is.
 * @throws Error where a namespace holds another number of them
 */
export async function ingestDocuments(
  service: Service,
  namespace: string,
  documents: readonly TextDocument[],
): Promise<Ingested> {
  const present = await countJobs(service, namespace);
  if (present > 0 && present !== documents.length) {
    throw new Error(
      `namespace ${namespace} holds ${present} of ${documents.length} documents: take an empty data folder`,
    );
  }
  const batches: TextDocument[][] = [];
  if (present === 0) {
    for (let start = 0; start < documents.length; start += batchItems) {
      batches.push(documents.slice(start, start + batchItems));
    }
  }
  const run = await ingestAll(
    service,
    namespace,
    batches.map((batch) => () => service.client.ingestBatch(batch.map((document) => itemOf(namespace, document)))),
  );
  const { succeeded = 0, ...notSucceeded } = run.states;
  if (succeeded === 0) throw new Error(`no document of ${namespace} was ingested: ${JSON.stringify(run.states)}`);
  return {
    documents: run.documents,
    chunks: run.chunks,
    ...(present === 0 ? { ingestSeconds: run.seconds } : {}),
    ...(Object.keys(notSucceeded).length > 0 ? { notSucceeded } : {}),
  };
}

function itemOf(namespace: string, { documentId, title, text, mediaType }: TextDocument) {
  const source: Source = { type: 'text', text, mediaType };
  return { source, documentId, namespace, ...(title.trim() === '' ? {} : { title }) };
}

async function countJobs(service: Service, namespace: string): Promise<number> {
  let count = 0;
  let cursor: string | undefined;
  do {
    const page = await service.client.jobs({ namespace, limit: 100, cursor });
    count += page.items.length;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return count;
}
