import { apiPrefix } from '../../contracts/http/endpoint.ts';
import type { Job } from '../../contracts/model/job.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import { hasNoDocument } from '../next-jobs.ts';

export const jobPath = (jobId: string) => `${apiPrefix}/jobs/${encodeURIComponent(jobId)}`;
export const documentPath = (documentId: string) => `${apiPrefix}/documents/${encodeURIComponent(documentId)}`;

/** A job as its tenant sees it, in an answer of the API and in the call of a webhook. */
export function jobView(record: JobRecord): Job {
  const { tenant: _tenant, run: _run, priority: _priority, deliveryId: _delivery, ...shown } = record;
  const { survived: _survived, killed: _killed, sourceType, parentJobId, batchId, ...job } = shown;
  const self = jobPath(job.id);
  return {
    ...job,
    links: {
      self,
      events: `${self}/events`,
      cancel: `${self}/cancel`,
      retry: `${self}/retry`,
      // A repository's, an archive's or a namespace's job stands for many documents and has none of its own.
      ...(hasNoDocument(sourceType) ? {} : { document: documentPath(job.documentId) }),
      ...(parentJobId ? { parent: jobPath(parentJobId) } : {}),
      ...(batchId ? { batch: `${apiPrefix}/ingest/batches/${encodeURIComponent(batchId)}` } : {}),
    },
  };
}
