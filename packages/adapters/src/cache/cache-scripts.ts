import { script } from '../redis/script.ts';

/** Milliseconds since 1970 by the server's clock: the processes' differ. */
const now = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
`;

/** The hash of claims outlives the last of them by so much. */
const claimsKeptMs = 60_000;

/**
 * KEYS claims, entry. ARGV key, token, how long it is held in ms. Answers 0 where another has it, 1 where it is this
 * token's and there is no entry, 2 where there is one.
 */
export const claimScript = script(`${now}
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held and tonumber(string.match(held, '^%d+')) > now then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f ', now + tonumber(ARGV[3])) .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[3]) + ${claimsKeptMs})
return 1 + redis.call('EXISTS', KEYS[2])
`);

const holds = `
local held = redis.call('HGET', KEYS[1], ARGV[1])
if not held or string.match(held, ' (.*)$') ~= ARGV[2] then return 0 end
`;

/** As above, for one that is held still. */
export const renewScript = script(`${now}${holds}
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f ', now + tonumber(ARGV[3])) .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[3]) + ${claimsKeptMs})
return 1
`);

/** KEYS claims. ARGV key, token. */
export const releaseScript = script(`${holds}
redis.call('HDEL', KEYS[1], ARGV[1])
return 1
`);

/**
 * Stores what was claimed. KEYS claims, entry, index. ARGV key, token, value, life in ms, most entries of the area.
 * Answers 0 where the claim is void, else the keys of the entries that have to make room.
 */
export const storeScript = script(`${now}${holds}
redis.call('HDEL', KEYS[1], ARGV[1])
local life = tonumber(ARGV[4])
redis.call('SET', KEYS[2], ARGV[3], 'PX', life)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
redis.call('ZADD', KEYS[3], now + life, ARGV[1])
if redis.call('PTTL', KEYS[3]) < life then redis.call('PEXPIRE', KEYS[3], life) end
local over = redis.call('ZCARD', KEYS[3]) - tonumber(ARGV[5])
if over <= 0 then return {} end
return redis.call('ZRANGE', KEYS[3], 0, over - 1)
`);

/** Makes all claims of an area void. KEYS claims, index. Answers the keys of its entries, some of which may be gone. */
export const voidScript = script(`
redis.call('DEL', KEYS[1])
return redis.call('ZRANGE', KEYS[2], 0, -1)
`);
