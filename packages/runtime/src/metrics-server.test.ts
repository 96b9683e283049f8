import { expect, test } from '@jest/globals';
import { checkDependencies } from './dependency-checks.ts';
import { watchEventLoop } from './event-loop.ts';
import { createMetrics } from './metrics.ts';
import { startMetricsServer } from './metrics-server.ts';

const metrics = createMetrics();
const host = '127.0.0.1';

test('a worker serves metrics, liveness and readiness on a free port', async () => {
  const loop = watchEventLoop();
  let redis: () => Promise<void> = async () => {};
  const server = await startMetricsServer({
    host,
    port: 0,
    metrics,
    health: {
      live: () => ({ eventLoopLagMs: loop.lagMs() }),
      ready: () => checkDependencies([{ name: 'redis', needed: true, check: () => redis() }], 50),
    },
  });
  const get = (path: string) => fetch(`http://${host}:${server.port}${path}`);
  try {
    expect(await (await get('/metrics')).text()).toContain('process_cpu_seconds_total');
    expect(await (await get('/health/live')).json()).toMatchObject({
      state: 'live',
      eventLoopLagMs: expect.any(Number),
    });
    const ready = await get('/health/ready');
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ state: 'ready', dependencies: { redis: { state: 'up' } } });
    redis = () => new Promise(() => {});
    const away = await get('/health/ready');
    expect(away.status).toBe(503);
    expect(await away.json()).toMatchObject({
      dependencies: { redis: { state: 'down', message: 'no answer within 50 ms' } },
    });
    expect((await get('/other')).status).toBe(404);
    expect((await fetch(`http://${host}:${server.port}/metrics`, { method: 'POST' })).status).toBe(405);
  } finally {
    loop.stop();
    await server.close();
  }
});

test('a process without health checks has none, and a taken port is refused', async () => {
  const server = await startMetricsServer({ host, port: 0, metrics });
  try {
    expect((await fetch(`http://${host}:${server.port}/health/live`)).status).toBe(404);
    await expect(startMetricsServer({ host, port: server.port, metrics })).rejects.toThrow('EADDRINUSE');
  } finally {
    await server.close();
  }
});

test('a process that loads models says when it has started', async () => {
  let loaded = false;
  const server = await startMetricsServer({ host, port: 0, metrics, started: () => loaded });
  const ask = () => fetch(`http://${host}:${server.port}/health/started`);
  try {
    const before = await ask();
    expect([before.status, await before.json()]).toEqual([503, { state: 'starting' }]);
    loaded = true;
    const after = await ask();
    expect([after.status, await after.json()]).toEqual([200, { state: 'started' }]);
  } finally {
    await server.close();
  }
});

test('a dependency that is not needed may be away', async () => {
  const check = async () => {
    throw new Error('refused');
  };
  const readiness = await checkDependencies([{ name: 'model', needed: false, check }], 50);
  expect(readiness).toMatchObject({ ready: true, dependencies: { model: { state: 'down', message: 'refused' } } });
});

test('where metrics or health cannot be told the probe hears so, and the process goes on', async () => {
  const broken = { contentType: 'text/plain', metricsText: () => Promise.reject(new Error('no metrics')) };
  const health = { live: () => ({}), ready: () => Promise.reject(new Error('no checks')) };
  const server = await startMetricsServer({ host, port: 0, metrics: broken, health });
  const get = async (path: string) => {
    const answer = await fetch(`http://${host}:${server.port}${path}`);
    return [answer.status, await answer.json()];
  };
  try {
    expect(await get('/metrics')).toEqual([500, { state: 'failed', message: 'Error: no metrics' }]);
    expect(await get('/health/ready')).toEqual([503, { state: 'not ready', message: 'Error: no checks' }]);
    expect(await get('/health/live')).toEqual([200, { state: 'live' }]);
  } finally {
    await server.close();
  }
});

test('what a client throws that is no error is told as it is', async () => {
  const check = () => Promise.reject('gone');
  const { dependencies } = await checkDependencies([{ name: 'redis', needed: true, check }], 50);
  expect(dependencies.redis).toMatchObject({ state: 'down', message: 'gone' });
});
