import type { Priority } from '@semantic-memory/shared/contracts/model/ids';
import type { Redis } from 'ioredis';
import { runScript, script } from '../redis/script.ts';

/*
 * Who comes next in a tier: by priority, and within one priority the tenants in turn, each in its own order. See
 * docs/adr/0008-tenants-take-turns.md.
 *
 * BullMQ serves the job with the lowest priority number next, of 1 to 2^21 - 1. A third of these numbers belongs to each
 * priority; the number within it is the round in which a job's turn comes (start-time fair queueing: P. Goyal, H. Vin,
 * H. Cheng, "Start-time fair queuing", IEEE/ACM Transactions on Networking 5(5), 1997, with all jobs of the same size):
 * a tenant's next job is one round after the tenant's last one, and never before the round that is being served.
 */

/** Rounds of one priority. */
export const roundsPerClass = Math.floor((2 ** 21 - 1) / 3);

/** The numbers of one priority: `first`, and the one behind all rounds where a job stands until it gets its place. */
export interface PriorityClass {
  readonly first: number;
  readonly unplaced: number;
}

/** In the order in which they are served. */
export const priorities: readonly Priority[] = ['high', 'normal', 'low'];
export const defaultPriority: Priority = 'normal';

export function priorityClass(priority: Priority, rounds = roundsPerClass): PriorityClass {
  const first = 1 + priorities.indexOf(priority) * rounds;
  return { first, unplaced: first + rounds - 1 };
}

/** Of a job that was added; undefined where it takes no turns. */
export const priorityOf = (number: number | undefined): Priority | undefined =>
  priorities.find((name) => priorityClass(name).unplaced === number);

/** The keys of one queue that matter here; `queueKey` is BullMQ's `PREFIX:QUEUE`. */
const keysOf = (queueKey: string, { first }: PriorityClass) => [
  `${queueKey}:prioritized`,
  // Each tenant with the round of its last job, as far as that is still to come.
  `${queueKey}:fair:${first}`,
  `${queueKey}:delayed`,
  `${queueKey}:active`,
];

/** BullMQ's `getPriorityScore`: the number times this, plus a counter that keeps equals in order. */
const scale = 4_294_967_296;

/** Shared by the scripts: the round that is being served, or nil where none waits. Expects KEYS and ARGV as below. */
const currentRound = `
local scale = ${scale}
local text = function(number) return string.format('%.0f', number) end
local function head(prioritized, first, unplaced)
  local found = redis.call('ZRANGEBYSCORE', prioritized, text(first * scale), '(' .. text(unplaced * scale), 'WITHSCORES', 'LIMIT', 0, 1)
  return found[2] and math.floor(tonumber(found[2]) / scale)
end
`;

/**
 * KEYS prioritized, tenants' last rounds, delayed, active. ARGV prefix of job keys, first, unplaced, then pairs of job id
 * and tenant. A job that has its place already (added twice) or was taken at once keeps out.
 * Where the rounds come to their end, all that waits moves to the beginning: cheaply at half way where few wait, and
 * in any case before the end.
 */
const placeScript = script(`${currentRound}
local first, unplaced = tonumber(ARGV[2]), tonumber(ARGV[3])
local round = head(KEYS[1], first, unplaced)
if not round then
  redis.call('DEL', KEYS[2])
  round = first
else
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. text(round))
end
local used = (round - first) / (unplaced - first)
if used > 0.5 and (used > 0.9 or redis.call('ZCARD', KEYS[1]) < 1000) then
  local shift = round - first
  local function earlier(id)
    local key = ARGV[1] .. id
    local number = tonumber(redis.call('HGET', key, 'priority') or '0')
    if number > first and number < unplaced then
      redis.call('HSET', key, 'priority', text(math.max(first, number - shift)))
    end
  end
  local waiting = redis.call('ZRANGEBYSCORE', KEYS[1], text(first * scale), '(' .. text(unplaced * scale), 'WITHSCORES')
  for index = 1, #waiting, 2 do
    redis.call('ZADD', KEYS[1], text(tonumber(waiting[index + 1]) - shift * scale), waiting[index])
    earlier(waiting[index])
  end
  -- These come back with the number in their hash.
  for _, id in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do earlier(id) end
  for _, id in ipairs(redis.call('LRANGE', KEYS[4], 0, -1)) do earlier(id) end
  local tenants = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
  for index = 1, #tenants, 2 do
    redis.call('ZADD', KEYS[2], text(tonumber(tenants[index + 1]) - shift), tenants[index])
  end
  round = first
end
for index = 4, #ARGV, 2 do
  local id, tenant = ARGV[index], ARGV[index + 1]
  local score = tonumber(redis.call('ZSCORE', KEYS[1], id) or '-1')
  if score >= unplaced * scale and score < (unplaced + 1) * scale then
    local last = tonumber(redis.call('ZSCORE', KEYS[2], tenant) or '-1')
    local mine = math.min(math.max(round, last + 1), unplaced - 1)
    redis.call('ZADD', KEYS[2], text(mine), tenant)
    local order = score % scale
    -- Who had nothing waiting goes before those of the same round who had, in the order they came.
    if last >= 0 then order = math.min(order + scale / 2, scale - 1) end
    redis.call('ZADD', KEYS[1], text(mine * scale + order), id)
    redis.call('HSET', ARGV[1] .. id, 'priority', text(mine))
  elseif score < 0 and redis.call('HGET', ARGV[1] .. id, 'priority') == ARGV[3] then
    -- Taken at once. Should it come back, it does not wait behind all others.
    redis.call('HSET', ARGV[1] .. id, 'priority', text(round))
  end
end
`);

/** As many pairs as go with one call; Lua's stack holds some 8,000 values. */
const maxPerCall = 1000;

/**
 * Gives jobs that were just added at the number `unplaced` of their priority their place among the tenants. One call,
 * to be sent together with the adds.
 */
export async function placeInTurn(
  redis: Redis,
  queueKey: string,
  place: PriorityClass,
  jobs: readonly { readonly id: string; readonly tenant: string }[],
): Promise<void> {
  const calls: Promise<unknown>[] = [];
  for (let from = 0; from < jobs.length; from += maxPerCall) {
    const pairs = jobs.slice(from, from + maxPerCall).flatMap(({ id, tenant }) => [id, begins(tenant)]);
    calls.push(
      runScript(redis, placeScript, keysOf(queueKey, place), [`${queueKey}:`, place.first, place.unplaced, ...pairs]),
    );
  }
  await Promise.all(calls);
}

/**
 * KEYS prioritized, then the tenants' last rounds of each priority. ARGV number of the priorities that come before the
 * job's own, the tenant's two names there, then pairs of first and unplaced in order.
 * Answers 1 where someone waits who should run before the job goes on: anyone of a higher priority, or another tenant
 * of the same. Right after another tenant's last job was taken it may say so without cause.
 */
const othersWaitScript = script(`${currentRound}
local higher = tonumber(ARGV[1])
for class = 0, (#ARGV - 3) / 2 - 1 do
  local round = head(KEYS[1], tonumber(ARGV[4 + 2 * class]), tonumber(ARGV[5 + 2 * class]))
  if round then
    if class < higher then return 1 end
    local others = redis.call('ZCOUNT', KEYS[2 + class], text(round), '+inf')
    for name = 2, 3 do
      if tonumber(redis.call('ZSCORE', KEYS[2 + class], ARGV[name]) or '-1') >= round then others = others - 1 end
    end
    if others > 0 then return 1 end
  end
end
return 0
`);

/** Whether a job that runs long should let others run first. */
export async function othersWait(redis: Redis, queueKey: string, priority: Priority, tenant: string): Promise<boolean> {
  const higher = priorities.indexOf(priority);
  const classes = priorities.slice(0, higher + 1).map((name) => priorityClass(name));
  const answer = await runScript(
    redis,
    othersWaitScript,
    [`${queueKey}:prioritized`, ...classes.map((place) => `${queueKey}:fair:${place.first}`)],
    [higher, begins(tenant), goesOn(tenant), ...classes.flatMap(({ first, unplaced }) => [first, unplaced])],
  );
  return answer === 1;
}

/** KEYS and ARGV as for placing, with one job: it is active, and gets the number with which it will wait again. */
const placeAgainScript = script(`${currentRound}
local first, unplaced = tonumber(ARGV[2]), tonumber(ARGV[3])
local round = head(KEYS[1], first, unplaced) or first
local last = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[5]) or '-1')
-- Behind the round that is being served: whoever it makes way for goes first.
local mine = math.min(math.max(round, last) + 1, unplaced - 1)
redis.call('ZADD', KEYS[2], text(mine), ARGV[5])
redis.call('HSET', ARGV[1] .. ARGV[4], 'priority', text(mine))
`);

/**
 * Gives an active job its place for when it is handed back to the queue. What a tenant has begun takes turns beside
 * what it has not: otherwise half a document would wait behind thousands of its own.
 */
export async function placeAgain(
  redis: Redis,
  queueKey: string,
  place: PriorityClass,
  job: { readonly id: string; readonly tenant: string },
): Promise<void> {
  const args = [`${queueKey}:`, place.first, place.unplaced, job.id, goesOn(job.tenant)];
  await runScript(redis, placeAgainScript, keysOf(queueKey, place), args);
}

/** A tenant's name among those who take turns, for jobs that begin and for jobs that go on. */
const begins = (tenant: string) => `+${tenant}`;
const goesOn = (tenant: string) => `=${tenant}`;
