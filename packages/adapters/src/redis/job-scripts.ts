import { ledgerScript } from './gate.ts';

/** Appends the record to the job's events, stores it and tells whoever watches. Expects ARGV as named below. */
const recordEvent = `
local function record(job, events, channel, revision, json, ended, keepMs, maxEvents)
  local id = redis.call('XADD', events, 'MAXLEN', '~', maxEvents, '*', 'job', json)
  redis.call('SET', job, revision .. ' ' .. id .. ' ' .. json)
  if ended == '1' then redis.call('PEXPIRE', events, keepMs) else redis.call('PERSIST', events) end
  redis.call('PUBLISH', channel, id)
end
`;

/**
 * KEYS job, events, open jobs, the four indexes of jobs; with a document also (the two of the gate make nine): homes, version counters, documents,
 * head, the two indexes of documents.
 * ARGV json, index member, open member, ended, channel, keepMs, maxEvents; with a document also: documentId, namespace,
 * expected revision, document json ('' leaves it), version, index members of tenant and namespace.
 * Answers `ok`, `exists`, `elsewhere` with the namespace, or `retry` with the document as it stands.
 */
export const createJobScript = ledgerScript(`${recordEvent}
if redis.call('EXISTS', KEYS[1]) == 1 then return {'exists'} end
if #KEYS > 9 then
  local id, namespace = ARGV[8], ARGV[9]
  local home = redis.call('HGET', KEYS[8], id)
  if home and string.match(home, '|(.*)$') ~= namespace then return {'elsewhere', string.match(home, '|(.*)$')} end
  local current = redis.call('HGET', KEYS[10], id)
  if (current and string.match(current, '^%d+') or '0') ~= ARGV[10] then return {'retry', current or ''} end
  if ARGV[11] ~= '' then
    local revision = redis.call('HINCRBY', KEYS[11], 'revision', 1)
    redis.call('HSET', KEYS[10], id, revision .. ' ' .. ARGV[11])
    redis.call('ZADD', KEYS[12], 0, ARGV[13])
    redis.call('ZADD', KEYS[13], 0, ARGV[14])
  end
  redis.call('HSET', KEYS[8], id, '0|' .. namespace)
  local counted = tonumber(redis.call('HGET', KEYS[9], id) or '0')
  if counted < tonumber(ARGV[12]) then redis.call('HSET', KEYS[9], id, ARGV[12]) end
end
for index = 4, 7 do redis.call('ZADD', KEYS[index], 0, ARGV[2]) end
if ARGV[4] ~= '1' then redis.call('ZADD', KEYS[3], 0, ARGV[3]) end
record(KEYS[1], KEYS[2], ARGV[5], 1, ARGV[1], ARGV[4], ARGV[6], ARGV[7])
return {'ok'}
`);

/**
 * KEYS job, events, open jobs, index of the state that was, index of the state that will be.
 * ARGV json, index member, open member, ended, channel, keepMs, maxEvents, expected revision.
 * Answers `ok`, `absent`, or `retry` with the job as it stands.
 */
export const updateJobScript = ledgerScript(`${recordEvent}
local current = redis.call('GET', KEYS[1])
if not current then return {'absent'} end
local revision = string.match(current, '^%d+')
if revision ~= ARGV[8] then return {'retry', current} end
if KEYS[4] ~= KEYS[5] then
  redis.call('ZREM', KEYS[4], ARGV[2])
  redis.call('ZADD', KEYS[5], 0, ARGV[2])
  if ARGV[4] == '1' then redis.call('ZREM', KEYS[3], ARGV[3]) else redis.call('ZADD', KEYS[3], 0, ARGV[3]) end
end
record(KEYS[1], KEYS[2], ARGV[5], tonumber(revision) + 1, ARGV[1], ARGV[4], ARGV[6], ARGV[7])
return {'ok'}
`);

/**
 * Stores a job as the blob store tells it, where there is none. Revisions begin far above those that anybody may still
 * remember from before the loss.
 * KEYS as for a new job without a document. ARGV likewise, then tenants' member and the time in seconds.
 * Answers whether it was stored.
 */
export const restoreJobScript = ledgerScript(`${recordEvent}
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
for index = 4, 7 do redis.call('ZADD', KEYS[index], 0, ARGV[2]) end
if ARGV[4] ~= '1' then redis.call('ZADD', KEYS[3], 0, ARGV[3]) end
redis.call('SADD', KEYS[8], ARGV[8])
record(KEYS[1], KEYS[2], ARGV[5], ARGV[9], ARGV[1], ARGV[4], ARGV[6], ARGV[7])
return 1
`);

/** KEYS batch, retired. ARGV jobs as JSON, since when, retired member. */
export const createBatchScript = ledgerScript(`
redis.call('SET', KEYS[1], ARGV[1], 'NX')
redis.call('ZADD', KEYS[2], 'GT', ARGV[2], ARGV[3])
`);

/** KEYS retired. ARGV since when, members and a last one that is not for it. */
export const retireScript = ledgerScript(`
for index = 2, #ARGV - 1 do redis.call('ZADD', KEYS[1], 'GT', ARGV[1], ARGV[index]) end
`);

/**
 * KEYS job, retired; with a job that is known also: events, its children, its parent's children, the four indexes of jobs.
 * ARGV expected revision ('0': not there), retired member, index member, job. Answers whether it stood as expected.
 */
export const forgetJobScript = ledgerScript(`
local current = redis.call('GET', KEYS[1])
if (current and string.match(current, '^%d+') or '0') ~= ARGV[1] then return 0 end
redis.call('ZREM', KEYS[2], ARGV[2])
if current then
  redis.call('DEL', KEYS[1], KEYS[3], KEYS[4])
  redis.call('ZREM', KEYS[5], ARGV[4])
  for index = 6, 9 do redis.call('ZREM', KEYS[index], ARGV[3]) end
end
return 1
`);

/** KEYS batch, retired. ARGV retired member. */
export const forgetBatchScript = ledgerScript(`
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
`);

/** KEYS children. ARGV score, child. */
export const addChildScript = ledgerScript(`redis.call('ZADD', KEYS[1], 'NX', ARGV[1], ARGV[2])`);

/** KEYS job, events, open jobs, the four indexes of jobs. ARGV index member, open member. Answers whether it was there. */
export const withdrawJobScript = ledgerScript(`
for index = 4, 7 do redis.call('ZREM', KEYS[index], ARGV[1]) end
redis.call('ZREM', KEYS[3], ARGV[2])
redis.call('DEL', KEYS[2])
return redis.call('DEL', KEYS[1])
`);
