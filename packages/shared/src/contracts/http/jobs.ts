import { z } from 'zod';
import { DocumentId, Namespace } from '../model/ids.ts';
import { Job, JobState } from '../model/job.ts';
import { defineEndpoint } from './endpoint.ts';
import { eventIdHeader } from './event-id.ts';
import { listQuery } from './paging.ts';

// Any text may be asked for: what is no job's id is not found, rather than malformed.
const params = z.strictObject({ jobId: z.string().max(200) });
const job = { 200: { description: 'The job.', schema: Job } } as const;

export const JobList = z.object({ items: z.array(Job), nextCursor: z.string().optional() }).meta({ id: 'JobList' });

export const listJobs = defineEndpoint({
  id: 'listJobs',
  method: 'get',
  path: '/jobs',
  scopes: ['memory:read'],
  tag: 'jobs',
  summary: 'Jobs, newest first',
  query: z.strictObject({
    state: JobState.optional(),
    documentId: DocumentId.optional(),
    namespace: Namespace.optional(),
    ...listQuery,
  }),
  responses: { 200: { description: 'A page of jobs.', schema: JobList } },
  errors: [],
});

export const getJob = defineEndpoint({
  id: 'getJob',
  method: 'get',
  path: '/jobs/{jobId}',
  scopes: ['memory:read'],
  tag: 'jobs',
  summary: 'How a job goes',
  params,
  responses: job,
  errors: ['not_found'],
});

export const jobEvents = defineEndpoint({
  id: 'jobEvents',
  method: 'get',
  path: '/jobs/{jobId}/events',
  scopes: ['memory:read'],
  tag: 'jobs',
  summary: 'Follow a job',
  description:
    'Server-sent events: `event: job` with an `id`, and the Job as `data`. Every change since `Last-Event-ID`, then ' +
    'live; the stream ends after a terminal state.',
  params,
  headers: z.object({ 'last-event-id': eventIdHeader(/^(\d{1,16}-\d{1,16})?$/) }),
  responses: {
    200: { description: 'The events.', mediaType: 'text/event-stream' },
    204: { description: 'The job has ended and nothing came after that id.' },
  },
  errors: ['not_found'],
});

export const cancelJob = defineEndpoint({
  id: 'cancelJob',
  method: 'post',
  path: '/jobs/{jobId}/cancel',
  scopes: ['memory:write'],
  tag: 'jobs',
  summary: 'Stop a job',
  params,
  responses: job,
  errors: ['not_found', 'conflict'],
});

export const retryJob = defineEndpoint({
  id: 'retryJob',
  method: 'post',
  path: '/jobs/{jobId}/retry',
  scopes: ['memory:write'],
  tag: 'jobs',
  summary: 'Run a job again',
  description: 'For failed, partial and cancelled jobs; goes on from the last finished step.',
  params,
  responses: job,
  errors: ['not_found', 'conflict'],
});
