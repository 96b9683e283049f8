import { ledgerScript } from './gate.ts';

/*
 * Scripts that write lists anew. What they build on was read before, and Redis may have lost its last writes since: then
 * an ordinal that was nobody's may be somebody's. So each names the start of the server and the namespace's epoch.
 */

const sameServer = `
local function serverStart() return string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') end
`;

/** KEYS claims. ARGV base, claim. Whoever has it is told that its postings are gone, and writes them again. */
export const dropClaimScript = ledgerScript(`
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
`);

/** KEYS head, state, lengths, claims. Answers the server's start, epoch, next, lengths by ordinal, claims. */
export const snapshotScript = ledgerScript(`${sameServer}
return {serverStart(), redis.call('HGET', KEYS[1], 'epoch') or '', redis.call('HGET', KEYS[2], 'next') or '0',
  redis.call('GET', KEYS[3]) or '', redis.call('HGETALL', KEYS[4])}
`);

/**
 * Writes postings anew, those of each term with what was appended since they were read. KEYS head, then of each term its list or shelf. ARGV
 * server's start, epoch, then of each term its field ('' in a list), how many bytes were read, the last four of them, and
 * what to keep of them. Where others have changed those bytes, or moved them, they are left as they are. Answers of how
 * many terms postings were written and how many bytes that freed; -1 terms where it is not the same server or namespace.
 */
export const swapScript = ledgerScript(`${sameServer}
if serverStart() ~= ARGV[1] or redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[2] then return {-1, 0} end
local function swapList(list, read, last, kept)
  if redis.call('GETRANGE', list, read - 4, read - 1) ~= last then return false end
  local postings = kept .. redis.call('GETRANGE', list, read, -1)
  if postings == '' then redis.call('DEL', list) else redis.call('SET', list, postings) end
  return true
end
local function swapField(shelf, field, read, last, kept)
  local postings = redis.call('HGET', shelf, field) or ''
  if string.sub(postings, read - 3, read) ~= last then return false end
  postings = kept .. string.sub(postings, read + 1)
  if postings == '' then redis.call('HDEL', shelf, field) else redis.call('HSET', shelf, field, postings) end
  return true
end
local written, freed = 0, 0
for index = 2, #KEYS - 2 do
  local at = (index - 2) * 4 + 3
  local field, read, last, kept = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3]
  local swapped
  if field == '' then
    swapped = swapList(KEYS[index], read, last, kept)
  else
    swapped = swapField(KEYS[index], field, read, last, kept)
  end
  if swapped then
    written = written + 1
    freed = freed + read - #kept
  end
end
return {written, freed}
`);

/** KEYS head, state. ARGV epoch, next, dead. Notes what a namespace had when its compaction began. */
export const compactedScript = ledgerScript(`
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
return redis.call('HSET', KEYS[2], 'compactedNext', ARGV[2], 'compactedDead', ARGV[3])
`);

/** KEYS lock. ARGV token. */
export const unlockScript = ledgerScript(
  `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`,
);
