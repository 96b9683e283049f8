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
 * Writes lists anew, each with what was appended to it since it was read. KEYS head, lists. ARGV server's start, epoch, then
 * of each list how many bytes were read, the last four of them, and what to keep of them. A list of which others have
 * changed those bytes is left as it is. Answers how many were written and how many bytes that freed; -1 of lists where it is not the same
 * server or namespace.
 */
export const swapScript = ledgerScript(`${sameServer}
if serverStart() ~= ARGV[1] or redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[2] then return {-1, 0} end
local written, freed = 0, 0
for index = 2, #KEYS - 2 do
  local at = (index - 2) * 3 + 3
  local read = tonumber(ARGV[at])
  if redis.call('GETRANGE', KEYS[index], read - 4, read - 1) == ARGV[at + 1] then
    local list = ARGV[at + 2] .. redis.call('GETRANGE', KEYS[index], read, -1)
    if list == '' then redis.call('DEL', KEYS[index]) else redis.call('SET', KEYS[index], list) end
    written = written + 1
    freed = freed + read - #ARGV[at + 2]
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
