import { createHmac } from 'node:crypto';

/*
 * Makes a token for a tenant: node token.ts TENANT [SCOPE…]. JWT_SECRET is the service's own (under `make up`
 * .data/jwt-secret). Keep it on your servers, and hand out tokens that end soon.
 */
const secret = process.env.JWT_SECRET;
const [tenant, ...scopes] = process.argv.slice(2);
if (!secret || !tenant) {
  console.error('usage: JWT_SECRET=… node token.ts TENANT [SCOPE…]');
  process.exit(2);
}

const now = Math.floor(Date.now() / 1000);
const claims = {
  sub: 'snippet',
  tenant,
  scope: scopes.length > 0 ? scopes.join(' ') : 'memory:read memory:write',
  iat: now,
  exp: now + 3600,
};

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
console.log(`${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`);
