import { createHmac, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '@semantic-memory/runtime/free-port';
import { exportJWK, SignJWT } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { bearerToken, createTokenVerifier } from './auth.ts';
import { secret, startTestApi, type TestApi, tokenFor } from './testing/test-api.ts';

const now = () => Math.floor(Date.now() / 1000);
const claims = (more: Record<string, unknown> = {}) => ({
  tenant: 'acme',
  scope: 'memory:read',
  exp: now() + 60,
  ...more,
});

describe('tokens with a shared secret', () => {
  const verify = createTokenVerifier({ jwtSecret: secret });

  test('a good one gives tenant and the scopes that are known', async () => {
    const principal = await verify(tokenFor('acme', { scope: 'memory:read other memory:write' }));
    expect(principal.tenant).toBe('acme');
    expect([...principal.scopes]).toEqual(['memory:read', 'memory:write']);
  });

  const unsigned = (header: object, payload: object) =>
    `${[header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;
  const signedAs = (header: object, key: string, payload: object = claims()) => {
    const body = unsigned(header, payload).slice(0, -1);
    return `${body}.${createHmac('sha256', key).update(body).digest('base64url')}`;
  };
  const bad: Record<string, () => string> = {
    'without a signature (alg none)': () => unsigned({ alg: 'none', typ: 'JWT' }, claims()),
    'with alg None in other letters': () => unsigned({ alg: 'NoNe' }, claims()),
    'with another HMAC': () => jsonwebtoken.sign(claims(), secret, { algorithm: 'HS512' }),
    'that claims RS256 with an HMAC': () => signedAs({ alg: 'RS256', typ: 'JWT' }, secret),
    'with another secret': () => jsonwebtoken.sign(claims(), `${secret}x`, { algorithm: 'HS256' }),
    'with an empty secret and a hostile kid': () => signedAs({ alg: 'HS256', kid: '../../../dev/null' }, ''),
    'with a kid that reads like SQL and the empty key': () =>
      signedAs({ alg: 'HS256', kid: "x' union select ''--" }, ''),
    'with our secret and a kid that is a path': () => signedAs({ alg: 'HS256', kid: '../../../dev/null' }, secret),
    'with our secret and a kid that is an address': () =>
      signedAs({ alg: 'HS256', kid: 'http://evil.example/' }, secret),
    'with our secret and a kid that is no text': () => signedAs({ alg: 'HS256', kid: ['a'] }, secret),
    'with our secret and what it says must be understood': () =>
      signedAs({ alg: 'HS256', crit: ['b64'], b64: false }, secret),
    'that has expired': () => tokenFor('acme', { exp: now() - 1 }),
    'without exp': () => jsonwebtoken.sign({ tenant: 'acme' }, secret, { algorithm: 'HS256' }),
    'whose exp is text': () => signedAs({ alg: 'HS256' }, secret, claims({ exp: '9999999999' })),
    'that is not valid yet': () => tokenFor('acme', { nbf: now() + 60 }),
    'without tenant': () => tokenFor('acme', { tenant: undefined }),
    'with an empty tenant': () => tokenFor(''),
    'with a list as tenant': () => tokenFor('acme', { tenant: ['acme', 'umbrella'] }),
    'whose payload was changed': () => {
      const [header, , signature] = tokenFor('acme').split('.');
      return `${header}.${Buffer.from(JSON.stringify(claims({ tenant: 'umbrella' }))).toString('base64url')}.${signature}`;
    },
    'whose header is no JSON': () => 'YWJj.YWJj.YWJj',
    'whose header is null': () => `${Buffer.from('null').toString('base64url')}.e30.YWJj`,
  };
  test.each(Object.keys(bad))('a token %s is refused', async (name) => {
    await expect(verify(bad[name]?.() ?? '')).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  test('audience and issuer are checked where they are configured', async () => {
    const strict = createTokenVerifier({ jwtSecret: secret, audience: 'memory', issuer: 'https://id.example' });
    const good = tokenFor('acme', { aud: 'memory', iss: 'https://id.example' });
    expect((await strict(good)).tenant).toBe('acme');
    for (const wrong of [
      {},
      { aud: 'memory' },
      { aud: 'other', iss: 'https://id.example' },
      { iss: 'https://id.example' },
    ]) {
      await expect(strict(tokenFor('acme', wrong))).rejects.toMatchObject({ code: 'unauthenticated' });
    }
  });

  test('the header must carry one bearer token', () => {
    expect(bearerToken('bearer a.b.c')).toBe('a.b.c');
    for (const header of [undefined, '', 'Basic a.b.c', 'Bearer', 'Bearer a b', 'a.b.c']) {
      expect(() => bearerToken(header)).toThrow(expect.objectContaining({ code: 'unauthenticated' }));
    }
  });
});

describe('tokens with a key set', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let away = false;
  const server = createServer(async (_request, response) => {
    if (away) {
      response.writeHead(500).end();
      return;
    }
    const keys = [
      { ...(await exportJWK(rsa.publicKey)), kid: 'rsa', alg: 'RS256' },
      { ...(await exportJWK(curve.publicKey)), kid: 'curve', alg: 'ES256' },
    ];
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  const verifier = (more: { audience?: string; issuer?: string } = {}) =>
    createTokenVerifier({ jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, ...more });
  const sign = (key: typeof rsa.privateKey, alg: string, kid: string, more: Record<string, unknown> = {}) =>
    new SignJWT(claims(more)).setProtectedHeader({ alg, kid }).sign(key);

  test('RS256 and ES256 are accepted', async () => {
    const verify = verifier();
    expect((await verify(await sign(rsa.privateKey, 'RS256', 'rsa'))).tenant).toBe('acme');
    expect((await verify(await sign(curve.privateKey, 'ES256', 'curve'))).tenant).toBe('acme');
  });

  test('another key, an unknown kid, a public key taken for a secret, and HS256 without a secret are refused', async () => {
    const verify = verifier();
    const publicPem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const body = [{ alg: 'HS256', kid: 'rsa' }, claims()]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const swapped = `${body}.${createHmac('sha256', publicPem).update(body).digest('base64url')}`;
    const refused = [
      await sign(other.privateKey, 'RS256', 'rsa'),
      await sign(rsa.privateKey, 'RS256', 'http://evil.example/'),
      await sign(rsa.privateKey, 'PS256', 'rsa'),
      swapped,
      tokenFor('acme'),
    ];
    for (const token of refused) await expect(verify(token)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  test('a key set that cannot be had is our fault, not the token’s', async () => {
    away = true;
    const token = await sign(rsa.privateKey, 'RS256', 'rsa');
    await expect(verifier()(token)).rejects.toMatchObject({ code: 'dependency_unavailable' });
    away = false;
    const nobody = createTokenVerifier({ jwksUrl: `http://127.0.0.1:${await freePort()}/` });
    await expect(nobody(token)).rejects.toMatchObject({ code: 'dependency_unavailable' });
  });

  test('audience and issuer are checked where they are configured, and an old token is told so', async () => {
    const strict = verifier({ audience: 'memory', issuer: 'https://id.example' });
    const signed = (more: Record<string, unknown>) => sign(rsa.privateKey, 'RS256', 'rsa', more);
    expect((await strict(await signed({ aud: 'memory', iss: 'https://id.example' }))).tenant).toBe('acme');
    for (const wrong of [{}, { aud: 'memory' }, { aud: 'other', iss: 'https://id.example' }]) {
      await expect(strict(await signed(wrong))).rejects.toMatchObject({ code: 'unauthenticated' });
    }
    const old = await signed({ exp: now() - 60 });
    await expect(verifier()(old)).rejects.toMatchObject({ message: 'The token has expired.' });
  });
});

describe('at the edge', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());

  test('no token is 401 with a challenge, a scope too few is 403', async () => {
    const anonymous = await api.call('/stats', { token: '' });
    expect(anonymous.status).toBe(401);
    expect(anonymous.headers.get('www-authenticate')).toBe('Bearer');
    const reader = tokenFor('acme', { scope: 'memory:read' });
    expect((await api.call('/stats', { token: reader })).status).toBe(200);
    const denied = await api.post('/ingest', { source: { type: 'text', text: 'x' } }, { token: reader });
    expect(denied.status).toBe(403);
    expect(await denied.json()).toMatchObject({ error: { code: 'forbidden', details: { missing: ['memory:write'] } } });
    expect(
      (await api.call('/admin/queues', { token: tokenFor('acme', { scope: 'memory:read memory:write' }) })).status,
    ).toBe(403);
  });
});
