import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';

let echo: Server;
let proxy: FaultProxy;
let socket: Socket | undefined;

beforeEach(async () => {
  echo = createServer((client) => {
    client.on('error', () => {});
    client.pipe(client);
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const address = echo.address();
  proxy = await startFaultProxy(typeof address === 'object' && address ? address.port : 0);
});

afterEach(async () => {
  socket?.destroy();
  await proxy.close();
  await new Promise((resolve) => echo.close(resolve));
});

function dial(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const opened = connect({ port: proxy.port, host: '127.0.0.1' }, () => resolve(opened));
    opened.once('error', reject);
    socket = opened;
  });
}

const nextPiece = (from: Socket) =>
  new Promise<string>((resolve) => from.once('data', (data) => resolve(String(data))));
const broken = (from: Socket) =>
  new Promise<string | undefined>((resolve) => {
    from.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    from.once('close', () => resolve('closed'));
  });

test('a line without a fault passes everything on', async () => {
  const line = await dial();
  line.write('hello');
  expect(await nextPiece(line)).toBe('hello');
});

test('a slow line is late in both directions', async () => {
  const line = await dial();
  proxy.set({ kind: 'latency', ms: 100 });
  const sentAt = performance.now();
  line.write('hello');
  expect(await nextPiece(line)).toBe('hello');
  expect(performance.now() - sentAt).toBeGreaterThanOrEqual(190);
});

test('a stalled line stays open and says nothing, until it goes on', async () => {
  const line = await dial();
  proxy.set({ kind: 'stall' });
  line.write('hello');
  const piece = nextPiece(line);
  const silence = new Promise((resolve) => setTimeout(resolve, 150, 'silence'));
  expect(await Promise.race([piece, silence])).toBe('silence');
  proxy.set({ kind: 'pass' });
  expect(await piece).toBe('hello');
});

test('a narrow line takes its time', async () => {
  const line = await dial();
  proxy.set({ kind: 'bandwidth', bytesPerSecond: 10_000 });
  const sentAt = performance.now();
  line.write(Buffer.alloc(1_000));
  await nextPiece(line);
  expect(performance.now() - sentAt).toBeGreaterThanOrEqual(190);
});

test('a reset breaks what is open, and what comes later is served', async () => {
  const line = await dial();
  const end = broken(line);
  proxy.reset();
  expect(await end).toBe('ECONNRESET');
  const again = await dial();
  again.write('hello');
  expect(await nextPiece(again)).toBe('hello');
});

test('a refusing line breaks what is open and takes nothing new', async () => {
  const end = broken(await dial());
  proxy.set({ kind: 'refuse' });
  expect(await end).toBe('ECONNRESET');
  expect(await dial().then(broken, (error: NodeJS.ErrnoException) => error.code)).toBe('ECONNRESET');
});
