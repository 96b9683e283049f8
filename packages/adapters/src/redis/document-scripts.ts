import { randomBytes } from 'node:crypto';
import { ledgerScript } from './gate.ts';
import { switchPostings } from './lexical-scripts.ts';

/** Of a namespace: whoever follows its changes tells by it that they begin anew. */
export const newEpoch = (): string => randomBytes(8).toString('hex');

/**
 * KEYS homes, version counters, namespaces, head, tenants. ARGV documentId, namespace, model, at least, new epoch, claim life ms,
 * tenant.
 * A document that was never accepted holds its namespace only for as long as an accept may take.
 * Answers `ok` with version and model, or `elsewhere` with the namespace.
 */
export const reserveVersionScript = ledgerScript(`
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local claim = string.format('%.0f', now) .. '|' .. ARGV[2]
local home = redis.call('HGET', KEYS[1], ARGV[1])
if home then
  local claimedAt, namespace = string.match(home, '^(%d+)|(.*)$')
  if namespace == ARGV[2] then
    if claimedAt == '0' then claim = home end
  elseif claimedAt == '0' or now - tonumber(claimedAt) < tonumber(ARGV[6]) then
    return {'elsewhere', namespace}
  end
end
redis.call('HSET', KEYS[1], ARGV[1], claim)
local version = math.max(tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '0') + 1, tonumber(ARGV[4]))
redis.call('HSET', KEYS[2], ARGV[1], version)
redis.call('SADD', KEYS[3], ARGV[2])
redis.call('SADD', KEYS[5], ARGV[7])
redis.call('HSETNX', KEYS[4], 'epoch', ARGV[5])
redis.call('HSETNX', KEYS[4], 'model', ARGV[3])
return {'ok', version, redis.call('HGET', KEYS[4], 'model')}
`);

/**
 * Compare-and-set of a document; where what a search sees changes, the generation moves on in the same step.
 * KEYS documents, rows, changes, tombstones, head, and five of the postings. ARGV documentId, expected revision, json,
 * row ('' where none), the model that the namespace must have ('' for any); where postings are to be switched on also
 * base, count, version, words, packed lengths, claim, rules.
 * Answers `ok`, `retry` with the document as it stands, `other_model`, or `lost` where the postings are not there.
 */
export const saveDocumentScript = ledgerScript(`${switchPostings}
local id = ARGV[1]
local current = redis.call('HGET', KEYS[1], id)
if not current or string.match(current, '^%d+') ~= ARGV[2] then return {'retry', current or ''} end
if ARGV[5] ~= '' and redis.call('HGET', KEYS[5], 'model') ~= ARGV[5] then return {'other_model'} end
if #ARGV > 6 and not holdsPostings(KEYS[8], KEYS[10], id, ARGV[6], ARGV[11]) then return {'lost'} end
redis.call('HSET', KEYS[1], id, redis.call('HINCRBY', KEYS[5], 'revision', 1) .. ' ' .. ARGV[3])
if ARGV[4] ~= '' and redis.call('HGET', KEYS[2], id) ~= ARGV[4] then
  redis.call('HSET', KEYS[2], id, ARGV[4])
  redis.call('ZADD', KEYS[3], redis.call('HINCRBY', KEYS[5], 'generation', 1), id)
  redis.call('ZREM', KEYS[4], id)
end
if #ARGV > 6 then
  switchPostings(KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], id, ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[12])
end
return {'ok'}
`);

/**
 * KEYS as above, then homes and the two indexes of documents. ARGV documentId, expected revision ('0': not there),
 * tombstones to keep, index members of tenant and namespace, namespace.
 * Answers `ok` with the number of chunks whose postings were switched off, or `retry` with the document as it stands.
 */
export const removeDocumentScript = ledgerScript(`${switchPostings}
local id = ARGV[1]
local current = redis.call('HGET', KEYS[1], id)
if (current and string.match(current, '^%d+') or '0') ~= ARGV[2] then return {'retry', current or ''} end
local home = redis.call('HGET', KEYS[11], id)
if home and string.match(home, '|(.*)$') == ARGV[6] then redis.call('HDEL', KEYS[11], id) end
redis.call('HDEL', KEYS[1], id)
redis.call('ZREM', KEYS[12], ARGV[4])
redis.call('ZREM', KEYS[13], ARGV[5])
if redis.call('HDEL', KEYS[2], id) == 1 then
  local generation = redis.call('HINCRBY', KEYS[5], 'generation', 1)
  redis.call('ZADD', KEYS[3], generation, id)
  redis.call('ZADD', KEYS[4], generation, id)
  if redis.call('ZCARD', KEYS[4]) > tonumber(ARGV[3]) then
    local oldest = redis.call('ZPOPMIN', KEYS[4])
    redis.call('ZREM', KEYS[3], oldest[1])
    redis.call('HSET', KEYS[5], 'floor', oldest[2])
  end
end
return {'ok', switchPostings(KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], id, '', '0', '0', '0', '', '')}
`);

/**
 * KEYS head, rows, changes. ARGV epoch of the cursor, its generation, most rows, '1' where a load from the start goes on.
 * Answers epoch, generation, floor, model, whether the index is incomplete, whether to reset, the last generation among the rows, then ids and rows in
 * turn ('' for a row that is gone).
 */
export const documentChangesScript = ledgerScript(`
local head = redis.call('HMGET', KEYS[1], 'epoch', 'generation', 'floor', 'model', 'incomplete')
local floor = head[3] or '0'
local since, reset = ARGV[2], 0
if head[1] ~= ARGV[1] or (ARGV[4] ~= '1' and tonumber(since) < tonumber(floor)) then since, reset = '0', 1 end
local changed = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. since, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
local answer = {head[1] or '', head[2] or '0', floor, head[4] or '', head[5] or '', reset, changed[#changed] or since}
local ids = {}
for at = 1, #changed, 2 do ids[#ids + 1] = changed[at] end
if #ids > 0 then
  local rows = redis.call('HMGET', KEYS[2], unpack(ids))
  for at = 1, #ids do
    answer[#answer + 1] = ids[at]
    answer[#answer + 1] = rows[at] or ''
  end
end
return answer
`);

/**
 * Stores a document as the blob store tells it, by compare-and-set; a new one gets its place in every index.
 * KEYS documents, rows, changes, tombstones, head, homes, the two indexes of documents, version counters, namespaces,
 * tenants. ARGV documentId, expected revision ('0': not there), json, row ('' where none), index members of tenant and
 * namespace, namespace, tenant, latest version, model, new epoch, time in seconds.
 * Answers `ok`, `elsewhere`, or `retry` with the document as it stands.
 */
export const restoreDocumentScript = ledgerScript(`
local id = ARGV[1]
local home = redis.call('HGET', KEYS[6], id)
if home and string.match(home, '^(%d+)|') == '0' and string.match(home, '|(.*)$') ~= ARGV[7] then return {'elsewhere'} end
local current = redis.call('HGET', KEYS[1], id)
if (current and string.match(current, '^%d+') or '0') ~= ARGV[2] then return {'retry', current or ''} end
redis.call('HSETNX', KEYS[5], 'epoch', ARGV[11])
redis.call('HSETNX', KEYS[5], 'model', ARGV[10])
redis.call('HSETNX', KEYS[5], 'revision', ARGV[12])
redis.call('HSET', KEYS[6], id, '0|' .. ARGV[7])
redis.call('SADD', KEYS[10], ARGV[7])
redis.call('SADD', KEYS[11], ARGV[8])
redis.call('ZADD', KEYS[7], 0, ARGV[5])
redis.call('ZADD', KEYS[8], 0, ARGV[6])
if tonumber(redis.call('HGET', KEYS[9], id) or '0') < tonumber(ARGV[9]) then redis.call('HSET', KEYS[9], id, ARGV[9]) end
redis.call('HSET', KEYS[1], id, redis.call('HINCRBY', KEYS[5], 'revision', 1) .. ' ' .. ARGV[3])
if redis.call('HGET', KEYS[2], id) ~= (ARGV[4] ~= '' and ARGV[4]) then
  if ARGV[4] == '' then redis.call('HDEL', KEYS[2], id) else redis.call('HSET', KEYS[2], id, ARGV[4]) end
  redis.call('ZADD', KEYS[3], redis.call('HINCRBY', KEYS[5], 'generation', 1), id)
  redis.call('ZREM', KEYS[4], id)
end
return {'ok'}
`);

/** KEYS version counters, tenants. ARGV documentId, version, tenant. */
export const countVersionScript = ledgerScript(`
redis.call('SADD', KEYS[2], ARGV[3])
if tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0') < tonumber(ARGV[2]) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
`);

/** KEYS head. ARGV '1' where the index lacks chunks. Says it only of a namespace that there is. */
export const markIndexScript = ledgerScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return end
if ARGV[1] == '1' then redis.call('HSET', KEYS[1], 'incomplete', '1') else redis.call('HDEL', KEYS[1], 'incomplete') end
`);

/**
 * KEYS head, namespaces, tenants. ARGV model, `EPOCH.GENERATION` that must still be the present one ('' for any), namespace,
 * tenant, new epoch, time in seconds. Answers 1 where the namespace has the model now.
 */
export const switchModelScript = ledgerScript(`
local head = redis.call('HMGET', KEYS[1], 'model', 'epoch', 'generation')
if head[1] == ARGV[1] then return 1 end
if ARGV[2] ~= '' and (head[2] or '') .. '.' .. (head[3] or '0') ~= ARGV[2] then return 0 end
redis.call('HSETNX', KEYS[1], 'epoch', ARGV[5])
redis.call('HSETNX', KEYS[1], 'revision', ARGV[6])
redis.call('HSET', KEYS[1], 'model', ARGV[1])
redis.call('HINCRBY', KEYS[1], 'generation', 1)
redis.call('SADD', KEYS[2], ARGV[3])
redis.call('SADD', KEYS[3], ARGV[4])
return 1
`);
