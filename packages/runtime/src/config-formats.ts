import { tiers } from '@semantic-memory/shared/contracts/jobs';
import { bucketPattern, isPlainKey } from '@semantic-memory/shared/contracts/model/object-key';
import type { AllowedBucket } from '@semantic-memory/shared/ports/fetcher';
import { z } from 'zod';

/* How the text of a variable becomes a value. */

export const text = z.string();
export const list = z.string().transform((value) =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
export const origins = list.pipe(z.array(z.string().regex(/^https?:\/\/[^/\s]+$/, 'names what is no origin')));
export const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/, 'is not a whole number')
    .transform(Number)
    .pipe(z.number().min(least, `is less than ${least}`).max(most, `is more than ${most}`));
export const share = z
  .string()
  .regex(/^\d*\.?\d+$/, 'is not a number')
  .transform(Number)
  .pipe(z.number().max(1, 'is more than 1'));
export const usd = z
  .string()
  .regex(/^\d*\.?\d+$/, 'is not an amount')
  .transform(Number);
/** https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables */
export const headerList = z
  .string()
  .regex(/^(?:[^=,]+=[^,]*(?:,|$))*$/, 'is not a list of name=value')
  .transform((value, issues) => {
    try {
      const pairs = value.split(',').filter((pair) => pair !== '');
      return Object.fromEntries(
        pairs.map((pair) => {
          const at = pair.indexOf('=');
          return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())];
        }),
      );
    } catch {
      issues.addIssue('is not percent-encoded');
      return z.NEVER;
    }
  });
export const evidenceThresholds = list.transform((pairs, issues) => {
  const thresholds: Record<string, { none: number; weak: number }> = {};
  for (const pair of pairs) {
    const [, model = '', ...cosines] = /^([^=]+)=(\d*\.?\d+)\/(\d*\.?\d+)$/.exec(pair) ?? [];
    const [none = Number.NaN, weak = Number.NaN] = cosines.map(Number);
    if (none <= weak && weak <= 1) thresholds[model.trim()] = { none, weak };
    else issues.addIssue('is not a list of model=none/weak, two cosines up to 1 of which the first is not the larger');
  }
  return thresholds;
});
export const flag = z
  .enum(['true', 'false', '1', '0'], 'is neither true nor false')
  .transform((value) => value === 'true' || value === '1');
export const url = (protocols: RegExp) =>
  z.url({ protocol: protocols, error: 'is not an address of the kind expected' });
export const redisUrl = url(/^rediss?(\+cluster)?$/);
export const tierList = list.pipe(
  z.array(z.enum(tiers, `names a tier that is not one of ${tiers.join(', ')}`)).min(1, 'names no tier'),
);
/** A prefix ends with a slash, so that `a` is not the beginning of `ab` too. */
export const allowedBuckets = list.transform((rules, issues) => {
  const allowed: AllowedBucket[] = [];
  for (const rule of rules) {
    // Neither buckets nor prefixes have a colon: what stands before the last one is the tenant.
    const [, tenant = '', bucket = '', folder = ''] = /^(.+):([^:/]+)(?:\/([^:]*))?$/.exec(rule) ?? [];
    const prefix = folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
    if (bucketPattern.test(bucket) && isPlainKey(prefix)) allowed.push({ tenant: tenant.trim(), bucket, prefix });
    else issues.addIssue('is not a list of tenant:bucket or tenant:bucket/prefix');
  }
  return allowed;
});
