import { jobRegistry } from '@semantic-memory/shared/contracts/jobs';
import type { JobQueue, QueuedJob } from '@semantic-memory/shared/ports/job-queue';
import { type OpenSpan, openSpan, type SpanOptions } from './tracing.ts';

/** What the spans of both ends say of a job. https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/ */
export function messagingSpan(
  operation: 'send' | 'process',
  job: Pick<QueuedJob, 'name' | 'payload'>,
): { readonly name: string; readonly options: SpanOptions } {
  const { jobId, documentId } = job.payload as { jobId?: string; documentId?: string };
  return {
    name: `${operation} ingest.${job.name}`,
    options: {
      kind: operation === 'send' ? 'producer' : 'consumer',
      attributes: {
        'messaging.system': 'bullmq',
        'messaging.operation.type': operation,
        'messaging.operation.name': operation,
        'messaging.destination.name': `ingest.${jobRegistry[job.name].tier}`,
        ...(jobId ? { 'semantic_memory.job_id': jobId } : {}),
        ...(documentId ? { 'semantic_memory.document_id': documentId } : {}),
      },
    },
  };
}

/** Each job that is added gets a span of its own, which travels with it: the run that takes it up is its child. */
export function traceQueue<Queue extends JobQueue>(queue: Queue): Queue {
  return {
    ...queue,
    async add(jobs: readonly QueuedJob[]) {
      const spans: OpenSpan[] = [];
      const traced = jobs.map((job) => {
        const { name, options } = messagingSpan('send', job);
        const span = openSpan(name, options);
        spans.push(span);
        return span.traceparent ? { ...job, traceparent: span.traceparent } : job;
      });
      try {
        await queue.add(traced);
      } catch (error) {
        for (const span of spans) span.fail(error);
        throw error;
      } finally {
        for (const span of spans) span.end();
      }
    },
  };
}
