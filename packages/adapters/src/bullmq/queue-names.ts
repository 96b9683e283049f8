import { type JobName, jobRegistry, type Tier } from '@semantic-memory/shared/contracts/jobs';

/** One queue a tier. BullMQ builds keys with colons, so a name must not hold one. */
export const queueName = (tier: Tier): string => `ingest.${tier}`;

export const isJobName = (name: string): name is JobName => Object.hasOwn(jobRegistry, name);
