import { z } from 'zod';

export const Live = z.object({ state: z.literal('live'), eventLoopLagMs: z.number() }).meta({ id: 'Live' });

export const Ready = z
  .object({
    state: z.enum(['ready', 'not ready', 'shutting down']),
    dependencies: z.record(
      z.string(),
      z.object({ state: z.enum(['up', 'down']), needed: z.boolean(), tookMs: z.number() }),
    ),
  })
  .meta({ id: 'Ready', description: 'Each dependency by name. `needed`: without it the process is of no use.' });
export type Ready = z.infer<typeof Ready>;
