import { createHmac } from 'node:crypto';

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token for all that a tenant may do (RFC 7519, HS256), for a day. */
export function tenantToken(jwtSecret: string, tenant: string): string {
  const expiresAt = Math.floor(Date.now() / 1000) + 24 * 3600;
  const claims = { sub: 'chaos', tenant, scope: 'memory:read memory:write memory:admin', exp: expiresAt };
  const signed = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(claims)}`;
  return `${signed}.${createHmac('sha256', jwtSecret).update(signed).digest('base64url')}`;
}
