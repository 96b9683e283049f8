import { afterAll, expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { QuotaLimits, Quotas, QuotaUse } from '@semantic-memory/shared/ports/quotas';
import { closeRedis, openRedis } from './connection.ts';
import { tenantTag } from './keys.ts';
import { createRedisQuotas } from './quotas.ts';

const url = process.env.TEST_REDIS_URL ?? '';
const prefix = `quotas-test-${process.pid}`;
const redis = openRedis(url, { name: 'test', prefix: 'test' });
const closers: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all([closeRedis(redis), ...closers.map((close) => close())]));

const hourMs = 3_600_000;
const limits: QuotaLimits = {
  requests: { amount: 3, periodMs: hourMs },
  bytes: { amount: 1000, periodMs: 10 * hourMs },
};
function createQuotas(own: QuotaLimits = limits): Quotas {
  const quotas = createRedisQuotas({ url, prefix, limits: own });
  closers.push(() => quotas.close());
  return quotas;
}

let tenants = 0;
const freshTenant = () => `tenant ${tenants++}`;

/** Undefined where it was let through. */
async function refusal(quotas: Quotas, tenant: string, use: QuotaUse): Promise<MemoryError | undefined> {
  try {
    await quotas.take(tenant, use);
    return undefined;
  } catch (error) {
    if (error instanceof MemoryError) return error;
    throw error;
  }
}

/** Milliseconds until enough is left, by the refusal. */
const waitOf = async (quotas: Quotas, tenant: string, use: QuotaUse) => {
  const { retry } = (await refusal(quotas, tenant, use)) ?? {};
  return retry?.kind === 'wait' ? retry.afterMs : 0;
};

/** Moves what was used into the past. */
async function pass(tenant: string, ms: number): Promise<void> {
  const key = `${prefix}:quotas:${tenantTag(tenant)}`;
  for (const [kind, at] of Object.entries(await redis.hgetall(key))) {
    await redis.hset(key, kind, String(Number(at) - ms));
  }
}

test('all processes count together, each tenant by itself, and who is refused hears what and when', async () => {
  const [one, other, tenant] = [createQuotas(), createQuotas(), freshTenant()];
  for (const quotas of [one, other, one]) await quotas.take(tenant, { requests: 1 });
  const refused = await refusal(other, tenant, { requests: 1 });
  expect(refused).toMatchObject({
    code: 'rate_limited',
    details: { quota: 'requests', limit: 3, periodSeconds: 3600 },
    retry: { kind: 'wait' },
  });
  const wait = await waitOf(one, tenant, { requests: 1 });
  expect(wait).toBeGreaterThan(hourMs / 3 - 60_000);
  expect(wait).toBeLessThanOrEqual(hourMs / 3);
  await one.take(freshTenant(), { requests: 3 });
});

test('a quota fills up evenly', async () => {
  const [quotas, tenant] = [createQuotas(), freshTenant()];
  await quotas.take(tenant, { requests: 3 });
  await pass(tenant, hourMs / 3);
  await quotas.take(tenant, { requests: 1 });
  expect(await refusal(quotas, tenant, { requests: 1 })).toBeDefined();
  await pass(tenant, 100 * hourMs);
  await quotas.take(tenant, { requests: 3 });
  expect(await refusal(quotas, tenant, { requests: 1 })).toBeDefined();
});

test('a hundred at the same time get what there is, and no more', async () => {
  const [quotas, tenant] = [createQuotas(), freshTenant()];
  const refused = await Promise.all(Array.from({ length: 100 }, () => refusal(quotas, tenant, { requests: 1 })));
  expect(refused.filter((error) => error === undefined)).toHaveLength(3);
});

test('where one kind is used up nothing of the others is counted, and what is not limited is let through', async () => {
  const [quotas, tenant] = [createQuotas(), freshTenant()];
  await quotas.take(tenant, { bytes: 900, pages: 1e9 });
  expect(await refusal(quotas, tenant, { requests: 1, bytes: 101 })).toMatchObject({ details: { quota: 'bytes' } });
  await quotas.take(tenant, { requests: 3, bytes: 100 });
  expect(await refusal(quotas, tenant, { requests: 1 })).toMatchObject({ details: { quota: 'requests' } });
});

test('to ask for nothing asks that anything be left', async () => {
  const [quotas, tenant] = [createQuotas(), freshTenant()];
  await quotas.take(tenant, { bytes: 999 });
  await quotas.take(tenant, { bytes: 0 });
  await quotas.count(tenant, { bytes: 1 });
  expect(await refusal(quotas, tenant, { bytes: 0 })).toBeDefined();
});

test('what is larger than a quota is refused, or owed where nothing of it is used, at most as much again', async () => {
  const [quotas, tenant] = [createQuotas(), freshTenant()];
  const [much, mayOwe] = [{ bytes: 1_000_000 }, { mayOwe: true }];
  expect(await waitOf(quotas, tenant, much)).toBe(10 * hourMs);
  await quotas.take(tenant, { bytes: 1 });
  await expect(quotas.take(tenant, much, mayOwe)).rejects.toMatchObject({ code: 'rate_limited' });
  await pass(tenant, hourMs);
  await quotas.take(tenant, much, mayOwe);
  const wait = await waitOf(quotas, tenant, { bytes: 0 });
  expect(wait).toBeGreaterThan(10 * hourMs);
  expect(wait).toBeLessThanOrEqual(10.01 * hourMs + 1);
});

test('what was counted can be given back, and never becomes more than the quota', async () => {
  const [quotas, tenant] = [createQuotas(), freshTenant()];
  await quotas.take(tenant, { bytes: 1000 });
  await quotas.count(tenant, { bytes: -400 });
  await quotas.take(tenant, { bytes: 400 });
  expect(await refusal(quotas, tenant, { bytes: 1 })).toBeDefined();
  await quotas.count(tenant, { bytes: -1e9 });
  await quotas.take(tenant, { bytes: 1000 });
  expect(await refusal(quotas, tenant, { bytes: 1 })).toBeDefined();
});

test('nothing is kept of a tenant that has used nothing for a period', async () => {
  const [quotas, tenant] = [createQuotas({ requests: { amount: 1000, periodMs: 1000 } }), freshTenant()];
  await quotas.take(tenant, { requests: 1 });
  const left = await redis.pttl(`${prefix}:quotas:${tenantTag(tenant)}`);
  expect(left).toBeLessThanOrEqual(3);
});

test('who asks for nothing that is limited is let through without a question to Redis', async () => {
  const [quotas, tenant] = [createQuotas(), freshTenant()];
  await quotas.take(tenant, { pages: 5 });
  await quotas.count(tenant, {});
  expect(await redis.exists(`${prefix}:quotas:${tenantTag(tenant)}`)).toBe(0);
});

test.each([
  [60_000, 'quota of 1 requests a minute'],
  [86_400_000, 'quota of 1 requests a day'],
  [hourMs, 'quota of 1 requests in 3600 s'],
])('a refusal names the period of %d ms', async (periodMs, named) => {
  const [quotas, tenant] = [createQuotas({ requests: { amount: 1, periodMs } }), freshTenant()];
  await quotas.take(tenant, { requests: 1 });
  expect((await refusal(quotas, tenant, { requests: 1 }))?.message).toContain(named);
});
