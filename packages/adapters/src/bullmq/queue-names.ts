import { type JobName, jobRegistry, type Tier } from '@semantic-memory/shared/contracts/jobs';
import type { Priority } from '@semantic-memory/shared/contracts/model/ids';

/** One queue a tier. BullMQ builds keys with colons, so a name must not hold one. */
export const queueName = (tier: Tier): string => `ingest.${tier}`;

/**
 * BullMQ serves jobs without a priority (0) first, then by ascending number. Gaps leave room for classes to come.
 * https://docs.bullmq.io/guide/jobs/prioritized
 */
export const queuePriorities = { high: 0, normal: 10, low: 20 } as const satisfies Record<Priority, number>;

export const isJobName = (name: string): name is JobName => Object.hasOwn(jobRegistry, name);
