import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import type { CollectionKey, VectorIndex } from '@semantic-memory/shared/ports/vector-index';
import { vectorIndexSuite } from '@semantic-memory/shared/testing/vector-index-suite';
import { ChromaClient } from 'chromadb';
import type { BreakerState } from '../breaker/breaker.ts';
import { chromaTiming } from './circuit.ts';
import { collectionName } from './collections.ts';
import { createChromaIndex } from './vector-index.ts';

const server = {
  host: process.env.TEST_CHROMA_HOST ?? '127.0.0.1',
  port: Number(process.env.TEST_CHROMA_PORT),
  ssl: false,
};

vectorIndexSuite('in Chroma', () => createChromaIndex(server));

const keyOf = (tenant: string): CollectionKey => ({
  tenant: `${tenant}-${process.pid}-${Date.now()}`,
  namespace: 'default',
  model: 'm',
});
const record = (id: string) => ({
  chunkId: id,
  vector: Float32Array.of(1, 2, 3),
  text: id,
  documentId: 'd',
  version: 1,
  index: 0,
  headings: [],
  start: 0,
  end: 1,
});
const query = { vector: Float32Array.of(1, 2, 3), limit: 1 };

test('a collection that was deleted is empty for readers and made again by writers', async () => {
  const index = createChromaIndex(server);
  const key = keyOf('deleted');
  const drop = () => new ChromaClient(server).deleteCollection({ name: collectionName(key) });
  await index.addMissing(key, [record('a')]);
  await drop();
  expect(await index.query(key, query)).toEqual([]);
  expect(await index.count(key)).toBe(0);
  await index.addMissing(key, [record('a')]);
  expect(await index.count(key)).toBe(1);
  await drop();
  expect(await index.removeDocument(key, 'd')).toBe(0);
  await index.addMissing(key, [record('b')]);
  expect(await index.present(key, ['a', 'b'])).toEqual(new Set(['b']));
});

test('a collection that another process has made anew is found again', async () => {
  const key = keyOf('anew');
  const [index, other] = [createChromaIndex(server), createChromaIndex(server)];
  await index.addMissing(key, [record('a')]);
  await new ChromaClient(server).deleteCollection({ name: collectionName(key) });
  await other.addMissing(key, [record('b')]);
  expect((await index.query(key, query))[0]?.chunkId).toBe('b');
});

test('refusing a vector of another dimension is our fault, not an outage', async () => {
  const index = createChromaIndex(server);
  const key = keyOf('dimension');
  await index.addMissing(key, [record('a')]);
  await expect(index.query(key, { ...query, vector: Float32Array.of(1, 2) })).rejects.toMatchObject({
    code: 'internal',
  });
  await expect(index.addMissing(key, [{ ...record('b'), vector: Float32Array.of(1) }])).rejects.toMatchObject({
    code: 'internal',
  });
});

test('a database of its own is made with the first write, and kept apart from others', async () => {
  const key = keyOf('database');
  const of = (name: string) => ({ ...server, tenant: `${name}-${process.pid}`, database: 'memory' });
  const [one, other] = [createChromaIndex(of('one')), createChromaIndex(of('other'))];
  expect(await one.query(key, query)).toEqual([]);
  // Two processes may meet the missing database at the same time.
  await Promise.all([one.addMissing(key, [record('a')]), createChromaIndex(of('one')).addMissing(key, [record('b')])]);
  expect(await one.present(key, ['a', 'b'])).toEqual(new Set(['a', 'b']));
  expect(await other.count(key)).toBe(0);
  expect(await createChromaIndex(server).count(key)).toBe(0);
});

test('a tenant that cannot be made now is an outage, and made by the next write', async () => {
  const gate = await startGate();
  const index = createChromaIndex({ ...server, port: gate.port, tenant: `late-${process.pid}` });
  const key = keyOf('late');
  gate.mode = 'no-new-tenants';
  await expect(index.addMissing(key, [record('a')])).rejects.toMatchObject({ code: 'dependency_unavailable' });
  gate.mode = 'pass';
  await index.addMissing(key, [record('a')]);
  expect(await index.count(key)).toBe(1);
});

test('the key goes with every request, and a server that refuses it is an outage with a hint', async () => {
  const gate = await startGate();
  const index = createChromaIndex({ ...server, port: gate.port, apiKey: 'a-key', tenant: `key-${process.pid}` });
  const key = keyOf('token');
  gate.mode = 'ask-for-key';
  await index.addMissing(key, [record('a')]);
  expect((await index.query(key, query))[0]?.chunkId).toBe('a');
  const stranger = createChromaIndex({ ...server, port: gate.port });
  await expect(stranger.query(key, query)).rejects.toMatchObject({
    code: 'dependency_unavailable',
    hint: expect.stringContaining('CHROMA_API_KEY'),
  });
});

/** Stands before Chroma and can hang, fail or be shut. */
interface Gate {
  mode: 'pass' | 'hang' | 'hang-but-look-ups' | 'fail' | 'ask-for-key' | 'no-new-tenants';
  readonly requests: string[];
  /** Requests that were given up by the client while they hung. */
  givenUp: number;
  readonly port: number;
  shut(): Promise<void>;
  open(): Promise<void>;
}

async function startGate(): Promise<Gate> {
  const listener: Server = createServer(async (request, response) => {
    gate.requests.push(request.url ?? '');
    const lookUp = gate.mode === 'hang-but-look-ups' && request.url?.endsWith('/get');
    if (gate.mode.startsWith('hang') && !lookUp) {
      response.on('close', () => {
        gate.givenUp += 1;
      });
      return;
    }
    if (gate.mode === 'fail') {
      response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":"InternalError"}');
      return;
    }
    if (gate.mode === 'ask-for-key' && request.headers['x-chroma-token'] !== 'a-key') {
      response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"Unauthorized"}');
      return;
    }
    if (gate.mode === 'no-new-tenants' && request.url === '/api/v2/tenants') {
      response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":"InternalError"}');
      return;
    }
    const body: Buffer[] = [];
    for await (const part of request) body.push(part);
    const answer = await fetch(`http://${server.host}:${server.port}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { 'content-type': 'application/json' },
      ...(request.method === 'POST' ? { body: Buffer.concat(body) } : {}),
    });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(Buffer.from(await answer.bytes()));
  });
  const listen = (port: number) => new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = listener.address() as AddressInfo;
  const gate: Gate = {
    mode: 'pass',
    requests: [],
    givenUp: 0,
    port,
    shut: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        listener.closeAllConnections();
      }),
    open: () => listen(port),
  };
  gates.push(gate);
  return gate;
}

const gates: Gate[] = [];
afterEach(async () => {
  await Promise.all(gates.splice(0).map((gate) => gate.shut()));
});

const fast = { ...chromaTiming, queryMs: 500, heartbeatMs: 300, openMs: 1_000 };

/** Asks until it is answered; fails where that takes long. */
async function untilAnswered(index: VectorIndex, key: CollectionKey, withinMs: number) {
  const end = Date.now() + withinMs;
  for (;;) {
    try {
      return await index.query(key, query);
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

test('a server that hangs costs one deadline, its requests are cancelled, and its return is noticed', async () => {
  const gate = await startGate();
  const states: BreakerState[] = [];
  const index = createChromaIndex({ ...server, port: gate.port, onBreakerState: (state) => states.push(state) }, fast);
  const key = keyOf('hang');
  await index.addMissing(key, [record('a')]);

  gate.mode = 'hang';
  await expect(index.query(key, query)).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(states).toEqual(['open']);
  const asked = gate.requests.length;
  await expect(index.query(key, query)).rejects.toMatchObject({ code: 'dependency_unavailable' });
  await expect(index.addMissing(key, [record('b')])).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(gate.requests).toHaveLength(asked);
  await expect(index.check()).rejects.toMatchObject({ code: 'dependency_unavailable' });
  while (gate.givenUp < 2) await new Promise((resolve) => setImmediate(resolve));

  gate.mode = 'pass';
  expect((await untilAnswered(index, key, 5_000))[0]?.chunkId).toBe('a');
  expect(states.slice(-2)).toEqual(['half_open', 'closed']);
  await index.check();
});

test('while the circuit is open only heartbeats go out, one at a time', async () => {
  const gate = await startGate();
  const index = createChromaIndex({ ...server, port: gate.port }, { ...fast, openMs: 200 });
  const key = keyOf('probe');
  await index.addMissing(key, [record('a')]);
  gate.mode = 'hang';
  await expect(index.query(key, query)).rejects.toThrow();
  gate.requests.length = 0;
  const end = Date.now() + 1_200;
  while (Date.now() < end) await Promise.allSettled([1, 2, 3].map(() => index.query(key, query)));
  expect(gate.requests.length).toBeGreaterThanOrEqual(1);
  expect(gate.requests.length).toBeLessThanOrEqual(4);
  expect(gate.requests.every((url) => url.endsWith('/heartbeat'))).toBe(true);
});

test('a long write to a server that hangs is given up once its heartbeat has failed, well before its deadline', async () => {
  const gate = await startGate();
  const index = createChromaIndex({ ...server, port: gate.port }, { ...fast, openMs: 200, writeMs: 60_000 });
  const key = keyOf('frozen-write');
  await index.addMissing(key, [record('a')]);
  gate.mode = 'hang-but-look-ups';
  const startedAt = Date.now();
  await expect(index.addMissing(key, [record('b')])).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(Date.now() - startedAt).toBeLessThan(5_000);
  expect(index.outage?.()).toMatchObject({ code: 'dependency_unavailable', retry: { kind: 'wait' } });
});

test('a circuit that is open closes by itself, with nobody calling', async () => {
  const gate = await startGate();
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const onBreakerState = (state: BreakerState) => state === 'closed' && resolve();
  const index = createChromaIndex({ ...server, port: gate.port, onBreakerState }, { ...fast, openMs: 200 });
  const key = keyOf('by-itself');
  await index.addMissing(key, [record('a')]);
  gate.mode = 'hang';
  await expect(index.query(key, query)).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(index.outage?.()).toBeDefined();
  gate.mode = 'pass';
  await closed;
  expect(index.outage?.()).toBeUndefined();
});

test('a server that is gone opens the circuit after three refusals and is found again', async () => {
  const gate = await startGate();
  const states: BreakerState[] = [];
  const index = createChromaIndex({ ...server, port: gate.port, onBreakerState: (state) => states.push(state) }, fast);
  const key = keyOf('gone');
  await index.addMissing(key, [record('a')]);
  await gate.shut();
  for (let call = 1; call <= 3; call += 1) {
    expect(states).toEqual([]);
    await expect(index.query(key, query)).rejects.toMatchObject({ code: 'dependency_unavailable' });
  }
  expect(states).toEqual(['open']);
  await gate.open();
  expect((await untilAnswered(index, key, 5_000))[0]?.chunkId).toBe('a');
});

test('faults inside the server, which may be of one collection, do not cut off the others', async () => {
  const gate = await startGate();
  const states: BreakerState[] = [];
  const index = createChromaIndex({ ...server, port: gate.port, onBreakerState: (state) => states.push(state) }, fast);
  const key = keyOf('fault');
  await index.addMissing(key, [record('a')]);
  gate.mode = 'fail';
  for (let call = 1; call <= 5; call += 1) {
    await expect(index.query(key, query)).rejects.toMatchObject({ code: 'dependency_unavailable' });
  }
  expect(states).toEqual([]);
});

test('finds every record by itself, also behind hundreds of equal ones', async () => {
  const index = createChromaIndex(server);
  const key = keyOf('equal');
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const vector = () => Float32Array.from({ length: 64 }, random);
  const notice = vector();
  const records = Array.from({ length: 1_600 }, (_, i) => ({
    ...record(`c${i}`),
    vector: i % 2 === 0 ? notice : vector(),
  }));
  await index.addMissing(key, records);
  const lost: string[] = [];
  for (let i = 1; i < records.length; i += 8) {
    const [nearest] = await index.query(key, { vector: records[i]?.vector ?? notice, limit: 1 });
    if (nearest?.chunkId !== `c${i}`) lost.push(`c${i}`);
  }
  expect(lost).toEqual([]);
  const [equal] = await index.query(key, { vector: notice, limit: 1 });
  expect(equal?.similarity).toBeCloseTo(1, 5);
}, 30_000);
