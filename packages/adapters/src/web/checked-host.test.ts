import { isIP } from 'node:net';
import { expect, test } from '@jest/globals';
import { createHostCheck } from './checked-host.ts';

test('a name is looked up as the system would, where nobody says otherwise', async () => {
  const { hostname, port, addresses } = await createHostCheck({ allowHosts: ['localhost'] })(
    new URL('http://localhost'),
  );
  expect([hostname, port]).toEqual(['localhost', 80]);
  expect((await createHostCheck({ allowHosts: ['localhost:443'] })(new URL('https://localhost'))).port).toBe(443);
  expect(addresses.length).toBeGreaterThan(0);
  expect(addresses.every((address) => isIP(address) !== 0)).toBe(true);
});

test('a name that the resolver knows nothing of may be known later', async () => {
  const cause = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
  const checkHost = createHostCheck({ allowHosts: [], lookup: () => Promise.reject(cause) });
  await expect(checkHost(new URL('http://unknown.example/'))).rejects.toMatchObject({
    ...{ code: 'fetch_failed', retry: { kind: 'backoff' }, cause },
    message: 'The host unknown.example cannot be found.',
  });
});
