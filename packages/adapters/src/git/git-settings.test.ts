import { expect, test } from '@jest/globals';
import { gitSettings } from './git-settings.ts';

const pinOf = (hostname: string, addresses: string[]) =>
  gitSettings({ hostname, port: 443, addresses }).find((setting) => setting.startsWith('http.curloptResolve='));

test('git connects to the addresses that were checked, those of IPv6 in brackets as libcurl wants them', () => {
  expect(pinOf('a.example', ['192.0.2.1', '2001:db8::1'])).toBe(
    'http.curloptResolve=a.example:443:192.0.2.1,[2001:db8::1]',
  );
  expect(pinOf('2001:db8::1', ['2001:db8::1'])).toBe('http.curloptResolve=[2001:db8::1]:443:[2001:db8::1]');
});
