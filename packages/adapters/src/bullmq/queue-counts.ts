import type { Tier } from '@semantic-memory/shared/contracts/jobs';
import type { QueueCounts } from '@semantic-memory/shared/ports/job-queue';
import { script } from '../redis/script.ts';

/**
 * BullMQ's own getters cannot say which waiting job is the oldest: jobs with a priority are sorted by it. Their score is
 * `priority * 2^32 + counter` (BullMQ's `getPriorityScore`), so the first of each priority is its oldest. The list of jobs without one
 * is taken from its right end.
 * KEYS wait, prioritized, active, delayed, failed. ARGV prefix of job keys, priorities in use.
 * Answers waiting, active, delayed, failed, and when the oldest waiting job was made (ms; '' where none waits).
 */
export const queueCountsScript = script(`
local oldest = ''
local function consider(id)
  local at = id and redis.call('HGET', ARGV[1] .. id, 'timestamp')
  if at and (oldest == '' or tonumber(at) < tonumber(oldest)) then oldest = at end
end
consider(redis.call('LINDEX', KEYS[1], -1))
for index = 2, #ARGV do
  local from = string.format('%.0f', tonumber(ARGV[index]) * 4294967296)
  local to = string.format('%.0f', (tonumber(ARGV[index]) + 1) * 4294967296)
  consider(redis.call('ZRANGEBYSCORE', KEYS[2], from, '(' .. to, 'LIMIT', 0, 1)[1])
end
return {
  redis.call('LLEN', KEYS[1]) + redis.call('ZCARD', KEYS[2]),
  redis.call('LLEN', KEYS[3]), redis.call('ZCARD', KEYS[4]), redis.call('ZCARD', KEYS[5]), oldest
}
`);

/** @param nowMs milliseconds since 1970 */
export function parseCounts(tier: Tier, answer: unknown, nowMs: number): QueueCounts {
  const [waiting, active, delayed, failed, oldest] = answer as [number, number, number, number, string];
  const oldestWaitSeconds = oldest === '' ? 0 : Math.max(0, nowMs - Number(oldest)) / 1000;
  return { tier, waiting, active, delayed, failed, oldestWaitSeconds };
}
