import { createServer, type Server } from 'node:http';
import { type AddressInfo, getDefaultAutoSelectFamily, setDefaultAutoSelectFamily } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fetch } from 'undici';
import { createPinnedAgent } from './pinned-agent.ts';

let server: Server;
let port: number;
beforeAll(async () => {
  server = createServer((_, response) => response.end('hello'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function textAt(hostname: string, pinned: Record<string, string[]>): Promise<string> {
  const { agent, pin } = await createPinnedAgent(5000);
  try {
    for (const [name, addresses] of Object.entries(pinned)) pin({ hostname: name, port, addresses });
    return await (await fetch(`http://${hostname}:${port}/`, { dispatcher: agent })).text();
  } finally {
    await agent.destroy();
  }
}

test('a name leads to the addresses that were checked, whichever of them answers', async () => {
  // Nobody listens at the first.
  expect(await textAt('two.example', { 'two.example': ['::1', '127.0.0.1'] })).toBe('hello');
  expect(await textAt('dot.example.', { 'dot.example': ['127.0.0.1'] })).toBe('hello');
});

test('a process that tries one address only takes the first', async () => {
  const before = getDefaultAutoSelectFamily();
  setDefaultAutoSelectFamily(false);
  try {
    expect(await textAt('one.example', { 'one.example': ['127.0.0.1', '::1'] })).toBe('hello');
  } finally {
    setDefaultAutoSelectFamily(before);
  }
});

test('a name that was not checked is not looked up', async () => {
  const asked = textAt('localhost', { 'other.example': ['127.0.0.1'] });
  await expect(asked).rejects.toMatchObject({ cause: { message: 'localhost was not checked' } });
});
