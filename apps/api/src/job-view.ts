import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import type { JobRecord } from '@semantic-memory/shared/ports/ledger';

export const jobPath = (jobId: string) => `${apiPrefix}/jobs/${encodeURIComponent(jobId)}`;
export const documentPath = (documentId: string) => `${apiPrefix}/documents/${encodeURIComponent(documentId)}`;

/** A job as its tenant sees it. */
export function jobView(record: JobRecord): Job {
  const { tenant: _tenant, run: _run, priority: _priority, sourceType, parentJobId, batchId, ...job } = record;
  const self = jobPath(job.id);
  return {
    ...job,
    links: {
      self,
      events: `${self}/events`,
      cancel: `${self}/cancel`,
      retry: `${self}/retry`,
      // A repository's job stands for many documents and has none of its own.
      ...(sourceType === 'git' ? {} : { document: documentPath(job.documentId) }),
      ...(parentJobId ? { parent: jobPath(parentJobId) } : {}),
      ...(batchId ? { batch: `${apiPrefix}/ingest/batches/${encodeURIComponent(batchId)}` } : {}),
    },
  };
}
