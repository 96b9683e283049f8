import type { Tier } from '@semantic-memory/shared/contracts/jobs';
import type { QueueCounts } from '@semantic-memory/shared/ports/job-queue';
import { script } from '../redis/script.ts';
import { priorities, priorityClass } from './fair-order.ts';

/**
 * BullMQ's own getters cannot say which waiting job is the oldest: they are sorted by turns (`fair-order.ts`). The oldest
 * is its tenant's first, which stands in the first rounds of its priority: it is looked for among the first so many. The
 * list of jobs that take no turns is taken from its right end.
 * KEYS wait, prioritized, active, delayed, failed. ARGV prefix of job keys, how many to look at, pairs of the least and
 * the greatest score of a priority.
 * Answers waiting, active, delayed, failed, and when the oldest waiting job was made (ms; '' where none waits).
 */
export const queueCountsScript = script(`
local oldest = ''
local function consider(id)
  local at = id and redis.call('HGET', ARGV[1] .. id, 'timestamp')
  if at and (oldest == '' or tonumber(at) < tonumber(oldest)) then oldest = at end
end
consider(redis.call('LINDEX', KEYS[1], -1))
for index = 3, #ARGV, 2 do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], ARGV[index], '(' .. ARGV[index + 1], 'LIMIT', 0, ARGV[2])) do
    consider(id)
  end
end
return {
  redis.call('LLEN', KEYS[1]) + redis.call('ZCARD', KEYS[2]),
  redis.call('LLEN', KEYS[3]), redis.call('ZCARD', KEYS[4]), redis.call('ZCARD', KEYS[5]), oldest
}
`);

/** Tenants with waiting jobs are seldom more; of the others' oldest the age is a little less. */
const lookedAt = 64;
/** BullMQ's `getPriorityScore`. */
const scale = 2 ** 32;

export function queueCountsArgs(queueKey: string): (string | number)[] {
  const scores = priorities.map((name) => priorityClass(name)).flatMap((place) => [place.first, place.unplaced + 1]);
  return [`${queueKey}:`, lookedAt, ...scores.map((number) => String(number * scale))];
}

/** @param nowMs milliseconds since 1970 */
export function parseCounts(tier: Tier, answer: unknown, nowMs: number): QueueCounts {
  const [waiting, active, delayed, failed, oldest] = answer as [number, number, number, number, string];
  const oldestWaitSeconds = oldest === '' ? 0 : Math.max(0, nowMs - Number(oldest)) / 1000;
  return { tier, waiting, active, delayed, failed, oldestWaitSeconds };
}
