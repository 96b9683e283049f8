import { ledgerScript } from './gate.ts';

/** So many changes are remembered for those who follow them; whoever is further behind reads everything anew. */
const logLength = 1000;

/**
 * Lua that switches a document's postings off and, where `base` is not empty, others on, in whatever script it is part
 * of. Answers how many chunks were switched off. Before it, `holdsPostings` says whether those to be switched on are
 * there: a Redis that came back with older data has forgotten the range, and would give it to somebody else.
 */
export const switchPostings = `
local function holdsPostings(documents, claims, id, base, claim)
  local active = redis.call('HGET', documents, id)
  if active and string.match(active, '^%d+') == base then return true end
  return redis.call('HGET', claims, base) == claim
end
local function switchPostings(state, lengths, documents, log, claims, id, base, count, version, words, packed, rules)
  local old = redis.call('HGET', documents, id)
  local oldBase, oldCount = '', '0'
  if old then
    local oldWords
    oldBase, oldCount, oldWords = string.match(old, '^(%d+) (%d+) %d+ (%d+)')
    if oldBase == base then return 0 end
    redis.call('SETRANGE', lengths, tonumber(oldBase) * 2, string.rep('\\0', tonumber(oldCount) * 2))
    redis.call('HINCRBY', state, 'n', -tonumber(oldCount))
    redis.call('HINCRBY', state, 'sum', -tonumber(oldWords))
    redis.call('HDEL', documents, id)
  end
  if base ~= '' then
    redis.call('SETRANGE', lengths, tonumber(base) * 2, packed)
    redis.call('HINCRBY', state, 'n', count)
    redis.call('HINCRBY', state, 'sum', words)
    redis.call('HSET', documents, id, base .. ' ' .. count .. ' ' .. version .. ' ' .. words .. ' ' .. rules)
    if redis.call('HGET', state, 'rules') ~= rules then redis.call('HDEL', state, 'rules') end
    redis.call('HDEL', claims, base)
  end
  if old or base ~= '' then
    local ver = redis.call('HINCRBY', state, 'ver', 1)
    redis.call('XADD', log, 'MAXLEN', '~', ${logLength}, string.format('%d-0', ver),
      'id', id, 'off', oldBase, 'on', base, 'onCount', count, 'version', version, 'lengths', packed)
  end
  return tonumber(oldCount)
end
`;

/**
 * Gives out ordinals that nobody ever had, in one range with a part for each of several versions. KEYS state, claims.
 * ARGV claim, rules of terms, how many each version wants. Answers the first.
 */
export const claimScript = ledgerScript(`
local total = 0
for index = 3, #ARGV - 1 do total = total + tonumber(ARGV[index]) end
local first = redis.call('HINCRBY', KEYS[1], 'next', total) - total
if first == 0 then redis.call('HSET', KEYS[1], 'rules', ARGV[2]) end
local base = first
for index = 3, #ARGV - 1 do
  redis.call('HSET', KEYS[2], string.format('%d', base), ARGV[1])
  base = base + tonumber(ARGV[index])
end
return first
`);

/**
 * Redis keeps the fields of a hash close together while no value is longer (`hash-max-listpack-value`, by default): 16
 * postings.
 */
const shelfBytes = 64;
/** Up to this length a list is written anew with what is appended, so that it has no room to spare: APPEND leaves half. */
export const exactBytes = 8192;

/**
 * Lua that reads a term's postings from a byte on, counted from 0: its list, or where there is none its field of a shelf.
 */
const readPostings = `
local function readPostings(list, shelf, field, from)
  local part = redis.call('GETRANGE', list, from, -1)
  if part ~= '' then return part end
  return string.sub(redis.call('HGET', shelf, field) or '', from + 1)
end
`;

/**
 * KEYS claims, then of each term list and shelf. ARGV base of the first version, claim, then of each term the field and
 * what to append. Nothing is seen before it is switched on, so a part of it does no harm. Answers 0 where the claim is not
 * known any more.
 */
export const appendScript = ledgerScript(`
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
for index = 2, #KEYS - 3, 2 do
  local list, shelf, field, postings = KEYS[index], KEYS[index + 1], ARGV[index + 1], ARGV[index + 2]
  local length = redis.call('STRLEN', list)
  if length >= ${exactBytes} then
    redis.call('APPEND', list, postings)
  elseif length > 0 then
    redis.call('SET', list, redis.call('GET', list) .. postings)
  else
    local few = redis.call('HGET', shelf, field)
    if few then postings = few .. postings end
    if #postings <= ${shelfBytes} then
      redis.call('HSET', shelf, field, postings)
    else
      redis.call('SET', list, postings)
      if few then redis.call('HDEL', shelf, field) end
    end
  end
end
return 1
`);

/**
 * Switches postings on for a version that is active. KEYS rows, state, lengths, documents, log, claims.
 * ARGV documentId, base, count, version, words, packed lengths, claim, rules. Answers 1, or 0 where that version is not active
 * or the postings are not there.
 */
export const restoreScript = ledgerScript(`${switchPostings}
local row = redis.call('HGET', KEYS[1], ARGV[1])
if not row or tostring(cjson.decode(row).activeVersion) ~= ARGV[4] then return 0 end
if not holdsPostings(KEYS[4], KEYS[6], ARGV[1], ARGV[2], ARGV[7]) then return 0 end
switchPostings(KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[8])
return 1
`);

/** KEYS state. ARGV rules. Says it only of a namespace that there is. */
export const markCurrentScript = ledgerScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'rules', ARGV[1]) end
`);

/**
 * KEYS head, state, log, lengths, documents, rows, then of each term list and shelf. ARGV known epoch, known ver, rules of
 * terms, then of each term the field, how many bytes are known, and the last posting of them. Answers epoch, ver, n, sum, whether to start afresh (then lengths and
 * documents, else the log since), whether all active documents have
 * postings by these rules, the places of terms whose postings were compacted
 * since and come whole, and of the others what they have beyond what is known.
 */
export const readScript = ledgerScript(`${readPostings}
local epoch = redis.call('HGET', KEYS[1], 'epoch') or ''
local state = redis.call('HMGET', KEYS[2], 'ver', 'n', 'sum', 'rules')
local ver = state[1] or '0'
local afresh = epoch ~= ARGV[1] or tonumber(ver) < tonumber(ARGV[2])
local entries = {}
if not afresh and ver ~= ARGV[2] then
  entries = redis.call('XRANGE', KEYS[3], '(' .. ARGV[2] .. '-0', '+')
  afresh = #entries ~= tonumber(ver) - tonumber(ARGV[2])
end
local answer = {epoch, ver, state[2] or '0', state[3] or '0', afresh and 1 or 0}
if afresh then
  answer[6] = redis.call('GET', KEYS[4]) or ''
  answer[7] = redis.call('HGETALL', KEYS[5])
else
  answer[6] = entries
  answer[7] = {}
end
local on = redis.call('HLEN', KEYS[5])
answer[8] = redis.call('HLEN', KEYS[6]) == on and (on == 0 or state[4] == ARGV[3]) and 1 or 0
local whole = {}
local terms = (#KEYS - 8) / 2
for term = 1, terms do
  local list, shelf, at = KEYS[term * 2 + 5], KEYS[term * 2 + 6], term * 3 + 1
  local field = ARGV[at]
  local known = afresh and 0 or tonumber(ARGV[at + 1])
  local part
  if known > 0 then
    part = readPostings(list, shelf, field, known - 4)
    if string.sub(part, 1, 4) == ARGV[at + 2] then
      part = string.sub(part, 5)
    else
      part = nil
      whole[#whole + 1] = term - 1
    end
  end
  answer[term + 9] = part or readPostings(list, shelf, field, 0)
end
answer[9] = whole
return answer
`);
