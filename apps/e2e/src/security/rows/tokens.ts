import { describe, expect, test } from '@jest/globals';
import { signedPrivate, signedShared, type TokenParts, withoutSignature } from '../forge-token.ts';
import { secrets, type Target } from '../target.ts';

/** JWT: algorithms, signatures, claims and key ids that are not as they must be are 401. */
export function tokensRow(target: () => Target): void {
  const hs256 = { alg: 'HS256', typ: 'JWT' };
  const good = (more: Readonly<Record<string, unknown>> = {}): TokenParts => ({
    header: hs256,
    claims: target().claims('acme', more),
  });
  const withHeader = (header: Readonly<Record<string, unknown>>): TokenParts => ({ ...good(), header });
  const shared = (parts: TokenParts, key: string | Buffer = secrets.JWT_SECRET) => signedShared(parts, key);
  const rsa = () => target().keys.rsa;
  const publicPem = () => rsa().publicKey.export({ type: 'spki', format: 'pem' });
  const now = () => Math.floor(Date.now() / 1000);

  const forged: Readonly<Record<string, () => string>> = {
    'without a signature (alg none)': () => withoutSignature(withHeader({ alg: 'none' })),
    'without a signature, alg in other letters': () => withoutSignature(withHeader({ alg: 'nOnE' })),
    'with alg none and the signature of a good one': () =>
      `${withoutSignature(withHeader({ alg: 'none' }))}${shared(good()).split('.')[2]}`,
    'with HS512 and the right secret': () => signedShared(withHeader({ alg: 'HS512' }), secrets.JWT_SECRET, 512),
    'with HS384 and the right secret': () => signedShared(withHeader({ alg: 'HS384' }), secrets.JWT_SECRET, 384),
    'with HS256 over the public key (HS/RS swap)': () => shared(withHeader({ ...hs256, kid: 'rsa' }), publicPem()),
    'with RS256 over the secret (RS/HS swap)': () => shared(withHeader({ alg: 'RS256', kid: 'rsa' })),
    'with PS256': () => signedPrivate(withHeader({ alg: 'PS256', kid: 'rsa' }), rsa().privateKey),
    'with RS256 and the key of ES256': () =>
      signedPrivate(withHeader({ alg: 'RS256', kid: 'curve' }), target().keys.curve.privateKey),
    'without an algorithm': () => shared(withHeader({ typ: 'JWT' })),
    'with a list of algorithms': () => shared(withHeader({ alg: ['HS256'] })),
    'with another secret': () => shared(good(), `${secrets.JWT_SECRET}x`),
    'with an empty secret': () => shared(good(), ''),
    'with a kid that is a path, and the empty key of what is there': () =>
      shared(withHeader({ ...hs256, kid: '../../../../dev/null' }), ''),
    'with a kid that reads like SQL': () => shared(withHeader({ ...hs256, kid: "x' UNION SELECT 'secret" }), 'secret'),
    'with a kid that is a path, though signed by our secret': () =>
      shared(withHeader({ ...hs256, kid: '../../../../dev/null' })),
    'with what must be understood and is not (crit)': () => shared(withHeader({ ...hs256, crit: ['exp'] })),
    'with RS256 and a kid that is an address': () =>
      signedPrivate(withHeader({ alg: 'RS256', kid: `http://${target().inside.host}/` }), rsa().privateKey),
    'that brings its own key set (jku)': () =>
      signedPrivate(
        withHeader({ alg: 'RS256', kid: 'mine', jku: `http://${target().inside.host}/jwks.json` }),
        rsa().privateKey,
      ),
    'that brings its own key (jwk)': () =>
      shared(withHeader({ ...hs256, jwk: { kty: 'oct', k: 'c2VjcmV0' } }), 'secret'),
    'that has expired': () => shared(good({ exp: now() - 1 })),
    'without exp': () => shared(good({ exp: undefined })),
    'whose exp is text': () => shared(good({ exp: String(now() + 3600) })),
    'whose exp is no number': () => shared(good({ exp: null })),
    'that is not valid yet': () => shared(good({ nbf: now() + 3600 })),
    'for another audience': () => shared(good({ aud: 'another' })),
    'without an audience': () => shared(good({ aud: undefined })),
    'of another issuer': () => shared(good({ iss: 'https://evil.example' })),
    'without an issuer': () => shared(good({ iss: undefined })),
    'without a tenant': () => shared(good({ tenant: undefined })),
    'of an empty tenant': () => shared(good({ tenant: '' })),
    'of two tenants': () => shared(good({ tenant: ['acme', 'umbrella'] })),
    'whose claims were changed after it was signed': () => {
      const [header, , signature] = shared(good()).split('.');
      return `${header}.${withoutSignature(good({ tenant: 'umbrella' })).split('.')[1]}.${signature}`;
    },
    'with a part too many': () => `${shared(good())}.e30`,
    'that is no token': () => 'a.b.c',
  };

  describe('tokens', () => {
    const ask = (token: string) => target().call('/stats', '', { headers: { authorization: `Bearer ${token}` } });

    test('good tokens of each kind are taken', async () => {
      const { keys } = target();
      const tokens = [
        shared(good()),
        signedPrivate(withHeader({ alg: 'RS256', kid: 'rsa' }), keys.rsa.privateKey),
        signedPrivate(withHeader({ alg: 'ES256', kid: 'curve' }), keys.curve.privateKey),
      ];
      for (const token of tokens) expect((await ask(token)).status).toBe(200);
    });

    test.each(Object.keys(forged))('a token %s is 401', async (name) => {
      const answer = await ask(forged[name]?.() ?? '');
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(await answer.json()).toMatchObject({ error: { code: 'unauthenticated' } });
    });

    test('no token that names an address has made the service ask there', () => {
      expect(target().inside.asked).toEqual([]);
    });

    test('a token is taken from its header alone', async () => {
      const token = shared(good());
      for (const path of [`/stats?access_token=${token}`, `/stats?token=${token}`]) {
        const answer = await target().call(path, '', { headers: { authorization: '', cookie: `token=${token}` } });
        expect(answer.status).toBe(401);
      }
    });
  });
}
