import { expect, test } from '@jest/globals';
import { isLocalName, isPublicAddress } from './address-rules.ts';

test.each([
  '1.1.1.1',
  '8.8.8.8',
  '93.184.215.14',
  '172.15.255.255',
  '172.32.0.1',
  '100.63.255.255',
  '100.128.0.1',
  '169.253.255.255',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001:81b::200e',
  '::ffff:8.8.8.8',
])('%s may be connected to', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each([
  ['0.0.0.0', 'this host'],
  ['0.1.2.3', 'this network'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['100.64.0.1', 'shared by carriers'],
  ['100.100.100.200', 'metadata of Alibaba Cloud'],
  ['169.254.169.254', 'metadata of most clouds'],
  ['169.254.170.2', 'metadata of AWS tasks'],
  ['168.63.129.16', 'wire server of Azure'],
  ['192.0.0.192', 'metadata of Oracle Cloud'],
  ['192.0.2.1', 'documentation'],
  ['198.51.100.1', 'documentation'],
  ['203.0.113.1', 'documentation'],
  ['198.18.0.1', 'benchmarks'],
  ['192.88.99.1', '6to4 relay'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.250', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'broadcast'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['::ffff:127.0.0.1', 'loopback, mapped'],
  ['::ffff:a9fe:a9fe', 'metadata, mapped'],
  ['::ffff:0:127.0.0.1', 'loopback, translated'],
  ['::7f00:1', 'loopback, IPv4-compatible'],
  ['::a9fe:a9fe', 'metadata, IPv4-compatible'],
  ['64:ff9b::a9fe:a9fe', 'metadata by NAT64'],
  ['64:ff9b::808:808', 'NAT64, whatever it leads to'],
  ['64:ff9b:1::a00:1', 'private by local NAT64'],
  ['2002:a9fe:a9fe::1', 'metadata by 6to4'],
  ['2002:7f00:1::', 'loopback by 6to4'],
  ['2001:0:53aa:64c:0:fffe:5601:5601', 'Teredo'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local with a zone'],
  ['fec0::1', 'site-local'],
  ['fc00::1', 'unique local'],
  ['fd00:ec2::254', 'metadata of AWS'],
  ['fd20:ce::254', 'metadata of Google Cloud'],
  ['ff02::1', 'multicast'],
  ['2001:db8::1', 'documentation'],
  ['100::1', 'discarded'],
  ['4000::1', 'not handed out'],
  ['127.1', 'not in four parts'],
  ['0177.0.0.1', 'octal'],
  ['2130706433', 'one number'],
  ['localhost', 'a name'],
  ['', 'nothing'],
])('%s may not: %s', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test('localhost and what is below it mean this machine', () => {
  expect(['localhost', 'a.localhost', 'a.b.localhost'].every(isLocalName)).toBe(true);
  expect(['localhost.example', 'mylocalhost', 'example.org'].some(isLocalName)).toBe(false);
});
