import { z } from 'zod';
import { faultKinds } from './faults/plan.ts';
import { runChaos } from './run-chaos.ts';

const Server = z.object({
  command: z.string(),
  args: z.array(z.string()),
  env: z.record(z.string(), z.string()).default({}),
  port: z.int(),
  dataDir: z.string(),
});

/** What `scripts/chaos.ts` hands over in CHAOS_SETTINGS. */
const Settings = z.object({
  seed: z.int(),
  minutes: z.number().positive(),
  perSecond: z.number().positive(),
  settleMs: z.int(),
  /** All of them unless given. */
  kinds: z.array(z.enum(Object.keys(faultKinds))).optional(),
  folder: z.string(),
  redis: Server,
  chroma: Server,
});

const settings = Settings.parse(JSON.parse(process.env.CHAOS_SETTINGS ?? '{}'));
// What the processes of the service get is said in one place; nothing of ours leaks into them.
process.env.CHAOS_SETTINGS = '';
const passed = await runChaos({ ...settings, kinds: settings.kinds ?? Object.keys(faultKinds), say: console.log });
process.exit(passed ? 0 : 1);
