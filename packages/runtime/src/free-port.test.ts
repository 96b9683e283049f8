import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { claimPort, freePort, isPortFree } from './free-port.ts';

test('a port is free until somebody listens there', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  expect(await isPortFree(port, '127.0.0.1')).toBe(false);
  expect(await claimPort(port, 'redis', '127.0.0.1')).toBe(false);
  server.close();
  await once(server, 'close');
  expect(await isPortFree(port, '127.0.0.1')).toBe(true);
  expect(await claimPort(port, 'redis', '127.0.0.1')).toBe(true);
  expect(await claimPort(port, 'redis', '127.0.0.1')).toBe(true);
  expect(await claimPort(port, 'chroma', '127.0.0.1')).toBe(false);
});

test('no port is given twice, none that was claimed, and none of those that connections get', async () => {
  const ports = await Promise.all(Array.from({ length: 300 }, () => freePort()));
  expect(new Set(ports).size).toBe(ports.length);
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_768);
    expect(await claimPort(port, 'redis', '127.0.0.1')).toBe(false);
  }
  for (let port = 20_000; port < 32_768; port++) await claimPort(port, 'redis', '127.0.0.1');
  await expect(freePort()).rejects.toThrow('no free port');
});

test('who is given a range takes ports from it alone, and who is given none or nonsense from all', async () => {
  const given = process.env.FREE_PORTS;
  try {
    process.env.FREE_PORTS = '33000-33001';
    const ports = [await freePort(), await freePort()];
    expect(ports.sort()).toEqual([33_000, 33_001]);
    await expect(freePort()).rejects.toThrow('between 33000 and 33001');
    for (const none of [undefined, 'some']) {
      if (none === undefined) delete process.env.FREE_PORTS;
      else process.env.FREE_PORTS = none;
      await expect(freePort()).rejects.toThrow('between 20000 and 32767');
    }
  } finally {
    if (given === undefined) delete process.env.FREE_PORTS;
    else process.env.FREE_PORTS = given;
  }
});

test('an address that this machine does not have is no question of free or taken', async () => {
  // Of the addresses for examples (RFC 5737).
  await expect(isPortFree(20_000, '192.0.2.1')).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
  await expect(claimPort(19_999, 'redis', '192.0.2.1')).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
  expect(await claimPort(19_999, 'chroma', '127.0.0.1')).toBe(true);
});
