import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { type QuotaKind, quotaKinds } from '@semantic-memory/shared/contracts/quotas';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import type { QuotaLimits, Quotas, QuotaUse } from '@semantic-memory/shared/ports/quotas';
import { closeRedis, openRedis, withRedis } from './connection.ts';
import { tenantTag } from './keys.ts';
import { runScript, script } from './script.ts';

/**
 * The generic cell rate algorithm, one cell a kind: https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 * A field holds when, in milliseconds, all that was used will have come back; how far that lies ahead, as a share of the
 * period, is the share of the quota that is used.
 *
 * KEYS: the tenant's fields. ARGV: what happens where too little is left (`refuse`, `owe`, or `refuse-unless-whole`); then for
 * each kind: name, amount, limit, period. Returns index (from 1) and wait of the kind that has to be waited for longest, or
 * {0, 0}.
 */
const spend = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local ahead = {}
local worst, wait = 0, 0
for i = 0, (#ARGV - 1) / 4 - 1 do
  local name, amount = ARGV[2 + i * 4], tonumber(ARGV[3 + i * 4])
  local limit, period = tonumber(ARGV[4 + i * 4]), tonumber(ARGV[5 + i * 4])
  local used = math.max(0, (tonumber(redis.call('HGET', KEYS[1], name) or '0') - now))
  if ARGV[1] ~= 'owe' then
    local needed = math.max(1, ARGV[1] == 'refuse' and amount or math.min(amount, limit))
    local late = needed > limit and period or used - period * (limit - needed) / limit
    -- A double holds milliseconds since 1970 to some ten-thousandths.
    if late > 0.01 and late > wait then worst, wait = i + 1, late end
  end
  ahead[i] = math.max(0, math.min(2 * period, used + amount * period / limit))
end
if worst > 0 then return {worst, math.ceil(wait)} end
for i = 0, (#ARGV - 1) / 4 - 1 do
  redis.call('HSET', KEYS[1], ARGV[2 + i * 4], string.format('%.4f', now + ahead[i]))
end
local last = now
for _, value in ipairs(redis.call('HVALS', KEYS[1])) do last = math.max(last, tonumber(value)) end
redis.call('PEXPIRE', KEYS[1], math.ceil(last - now) + 1)
return {0, 0}
`);

export interface RedisQuotasOptions {
  readonly url: string;
  /** Begins every key. */
  readonly prefix: string;
  readonly logger?: Logger | undefined;
  /** Kinds that are absent are not limited. */
  readonly limits: QuotaLimits;
}

/** Quotas in Redis, where all processes count together. Opens a connection at once. */
export function createRedisQuotas({ url, prefix, logger, limits }: RedisQuotasOptions): Quotas & {
  close(): Promise<void>;
} {
  const redis = openRedis(url, { name: 'quotas', prefix, logger });

  async function run(
    tenant: string,
    use: QuotaUse,
    otherwise: 'refuse' | 'refuse-unless-whole' | 'owe',
  ): Promise<void> {
    const kinds = quotaKinds.flatMap((kind) => {
      const [amount, limit] = [use[kind], limits[kind]];
      return amount !== undefined && limit ? [{ kind, amount, limit }] : [];
    });
    if (kinds.length === 0) return;
    const args = kinds.flatMap(({ kind, amount, limit }) => [kind, amount, limit.amount, limit.periodMs]);
    const [worst, waitMs] = (await withRedis(redis, () =>
      runScript(redis, spend, [`${prefix}:quotas:${tenantTag(tenant)}`], [otherwise, ...args]),
    )) as [number, number];
    const refused = kinds[worst - 1];
    if (refused) throw usedUp(refused, waitMs);
  }

  return {
    take: (tenant, use, { mayOwe } = {}) => run(tenant, use, mayOwe ? 'refuse-unless-whole' : 'refuse'),
    count: (tenant, use) => run(tenant, use, 'owe'),
    close: () => closeRedis(redis),
  };
}

interface Refused {
  readonly kind: QuotaKind;
  readonly amount: number;
  readonly limit: { readonly amount: number; readonly periodMs: number };
}

function usedUp({ kind, amount, limit }: Refused, afterMs: number): MemoryError {
  const { periodMs } = limit;
  const period = periodMs === 60_000 ? 'a minute' : periodMs === 86_400_000 ? 'a day' : `in ${periodMs / 1000} s`;
  const quota = `quota of ${limit.amount} ${kind} ${period}`;
  const isTooMuch = amount > limit.amount;
  return new MemoryError(
    'rate_limited',
    isTooMuch ? `${amount} are more than the ${quota}.` : `The ${quota} is used up.`,
    {
      hint: isTooMuch
        ? 'Send less at a time; an operator can raise it.'
        : 'It fills up by and by; an operator can raise it.',
      details: { quota: kind, limit: limit.amount, periodSeconds: periodMs / 1000 },
      retry: { kind: 'wait', afterMs },
    },
  );
}
