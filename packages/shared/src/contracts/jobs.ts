import { z } from 'zod';
import { DeliveryId, DocumentId, JobId, Namespace, Tenant, versionFields } from './model/ids.ts';

export const tiers = ['fetch', 'parse', 'ocr', 'embed', 'index', 'maintenance'] as const;
export const Tier = z.enum(tiers);
export type Tier = z.infer<typeof Tier>;

export const StepPayload = z
  .object({
    schemaVersion: z.literal(1),
    ...versionFields,
    jobId: JobId,
    run: z
      .int()
      .min(0)
      .describe('Counts the retries of the job, so that a retained queue id never swallows a new run.'),
  })
  .describe('References only: what a step needs it reads from the blob store and the ledger.');
export type StepPayload = z.infer<typeof StepPayload>;

export const ReconcilePayload = z.object({ schemaVersion: z.literal(1), reason: z.string() });
export const ExpirePayload = z.object({ schemaVersion: z.literal(1) });
export const SweepPayload = z.object({
  schemaVersion: z.literal(1),
  tenant: Tenant,
  namespace: Namespace,
  documentId: DocumentId,
  upToVersion: z.int().min(0).describe("Versions up to this one were deleted; a later one is a new document's."),
  sweepId: z.string().describe('One per delete.'),
});
export type SweepPayload = z.infer<typeof SweepPayload>;

export const ReembedPayload = z
  .object({
    schemaVersion: z.literal(1),
    ...versionFields,
    jobId: JobId.describe('Of the version.'),
  })
  .describe('A version that is to be embedded by the model that its namespace has by now.');
export type ReembedPayload = z.infer<typeof ReembedPayload>;

export const NotifyPayload = z
  .object({ schemaVersion: z.literal(1), deliveryId: DeliveryId })
  .describe('Whom to call and with what lies in the blob store: the queue may lose the job and nothing is lost.');
export type NotifyPayload = z.infer<typeof NotifyPayload>;

export const DryRunPayload = z
  .object({
    schemaVersion: z.literal(1),
    tenant: Tenant,
    runId: z.string().max(100).describe('Names what is asked, among the uploads, and the reply.'),
    until: z.iso.datetime().describe('Then nobody waits for the reply any more.'),
  })
  .describe('A document that is read to say what ingesting it would come to.');
export type DryRunPayload = z.infer<typeof DryRunPayload>;

interface JobDefinition<Payload extends z.ZodType> {
  readonly tier: Tier;
  readonly payload: Payload;
  /** How often a fault of ours is tried again before the job becomes a dead letter. */
  readonly attempts: number;
  /** First wait between attempts; doubles each time. */
  readonly backoffMs: number;
  /** The longest a single attempt may run. */
  readonly runningMs: number;
  /** The queue keeps one job per id; the id must not contain a colon. */
  readonly dedupeId: (payload: z.infer<Payload>) => string;
}

function define<Payload extends z.ZodType>(definition: JobDefinition<Payload>): JobDefinition<Payload> {
  return definition;
}

const minute = 60_000;
const step = (tier: Tier, runningMs: number) =>
  define({
    tier,
    payload: StepPayload,
    attempts: 5,
    backoffMs: 500,
    runningMs,
    dedupeId: (payload) => `${payload.jobId}-${tier}-${payload.run}`,
  });

/** Every job that a queue may carry. Types derive from here; a missing handler does not compile. */
export const jobRegistry = {
  fetch: step('fetch', 10 * minute),
  parse: step('parse', 10 * minute),
  ocr: step('ocr', 240 * minute),
  embed: step('embed', 120 * minute),
  index: step('index', 30 * minute),
  /** Waits for the documents of a job whose source is many (a repository) and ends it when they have ended. */
  settle: define({
    tier: 'maintenance',
    payload: StepPayload,
    attempts: 5,
    backoffMs: 500,
    runningMs: minute,
    dedupeId: (payload) => `${payload.jobId}-settle-${payload.run}`,
  }),
  /** Embeds a namespace by another model. Of tier embed, which has a way to the model. Stops now and then and goes on. */
  fill: define({
    tier: 'embed',
    payload: StepPayload,
    attempts: 5,
    backoffMs: 500,
    runningMs: 120 * minute,
    dedupeId: (payload) => `${payload.jobId}-fill-${payload.run}`,
  }),
  /** Compares the models by queries, which are embedded too, and gives the namespace the new one. */
  switch: define({
    tier: 'embed',
    payload: StepPayload,
    attempts: 5,
    backoffMs: 500,
    runningMs: 120 * minute,
    dedupeId: (payload) => `${payload.jobId}-switch-${payload.run}`,
  }),
  /** Reads the archive of a namespace and accepts the documents in it. Stops now and then and goes on where it was. */
  import: define({
    tier: 'maintenance',
    payload: StepPayload,
    attempts: 5,
    backoffMs: 500,
    runningMs: 60 * minute,
    dedupeId: (payload) => `${payload.jobId}-import-${payload.run}`,
  }),
  reembed: define({
    tier: 'embed',
    payload: ReembedPayload,
    attempts: 5,
    backoffMs: 500,
    runningMs: 120 * minute,
    dedupeId: (payload) => `reembed-${payload.jobId}`,
  }),
  reconcile: define({
    tier: 'maintenance',
    payload: ReconcilePayload,
    attempts: 1,
    backoffMs: 1000,
    runningMs: 30 * minute,
    dedupeId: (payload) => `reconcile-${payload.reason}`,
  }),
  /** Forgets what is kept for a time only. */
  expire: define({
    tier: 'maintenance',
    payload: ExpirePayload,
    attempts: 3,
    backoffMs: 1000,
    runningMs: 30 * minute,
    dedupeId: () => 'expire',
  }),
  sweep: define({
    tier: 'maintenance',
    payload: SweepPayload,
    attempts: 10,
    backoffMs: 1000,
    runningMs: 5 * minute,
    dedupeId: (payload) => `sweep-${payload.sweepId}`,
  }),
  dryRun: define({
    tier: 'parse',
    payload: DryRunPayload,
    attempts: 1,
    backoffMs: 1000,
    runningMs: minute,
    dedupeId: (payload) => `dry-run-${payload.runId}`,
  }),
  dryRunFetch: define({
    tier: 'fetch',
    payload: DryRunPayload,
    attempts: 1,
    backoffMs: 1000,
    runningMs: minute,
    dedupeId: (payload) => `dry-run-fetch-${payload.runId}`,
  }),
  /** Calls a webhook. Of tier fetch, which alone has a way out. A receiver that is away is waited for, by the handler. */
  notify: define({
    tier: 'fetch',
    payload: NotifyPayload,
    attempts: 5,
    backoffMs: 1000,
    runningMs: 5 * minute,
    dedupeId: (payload) => `notify-${payload.deliveryId}`,
  }),
} as const;

/** The jobs that move one document version on. */
export type StepName = Exclude<
  JobName,
  'reembed' | 'reconcile' | 'expire' | 'sweep' | 'notify' | 'dryRun' | 'dryRunFetch'
>;

export type JobName = keyof typeof jobRegistry;
export type JobPayload<Name extends JobName> = z.infer<(typeof jobRegistry)[Name]['payload']>;
