import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type ApiProcess, spawnApi } from './testing/api-process.ts';
import { secret, tokenFor } from './testing/test-api.ts';

let dataDir: string;
let child: ApiProcess | undefined;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'semantic-memory-api-'));
});
afterEach(async () => {
  await child?.kill();
  await rm(dataDir, { recursive: true, force: true });
});

function startApi(env: Record<string, string>): ApiProcess {
  child = spawnApi({ DATA_DIR: dataDir, QUEUE_PREFIX: `api-main-${process.pid}-${Date.now()}`, ...env });
  return child;
}

test('the process serves, reports its ports, takes a document in durably and ends in order', async () => {
  const api = startApi({ JWT_SECRET: secret });
  const { port, metricsPort } = await api.ready;
  // A new ledger is declared whole a moment after the start.
  let ready = await fetch(`http://127.0.0.1:${port}/health/ready`);
  while (ready.status === 503) ready = await fetch(`http://127.0.0.1:${port}/health/ready`);
  expect(await ready.json()).toMatchObject({
    state: 'ready',
    dependencies: { redis: { state: 'up' }, blobs: { state: 'up' }, chroma: { state: 'up' } },
  });
  const headers = { authorization: `Bearer ${tokenFor('acme')}`, 'content-type': 'application/json' };
  const base = `http://127.0.0.1:${port}/api/v1/memory`;
  const body = JSON.stringify({ source: { type: 'text', text: 'Two tides a day.' }, documentId: 'tides' });
  const accepted = await fetch(`${base}/ingest`, { method: 'POST', headers, body });
  expect(accepted.status).toBe(202);
  const content = await fetch(`${base}/documents/tides/content`, { headers });
  expect(await content.text()).toBe('Two tides a day.');
  const queues = await fetch(`${base}/admin/queues`, { headers });
  expect(await queues.json()).toMatchObject({
    queues: expect.arrayContaining([expect.objectContaining({ tier: 'embed', waiting: 1 })]),
  });
  let started = await fetch(`http://127.0.0.1:${metricsPort}/health/started`);
  while (started.status === 503) started = await fetch(`http://127.0.0.1:${metricsPort}/health/started`);
  expect(await started.json()).toEqual({ state: 'started' });
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  expect(metrics).toContain('ingest_requests_total{outcome="accepted"} 1');
  expect(metrics).toContain('queue_jobs{queue="embed",state="wait"} 1');
  api.process.kill('SIGTERM');
  expect(await api.exit).toBe(0);
  expect(api.output()).not.toContain('Two tides');
  expect(api.output()).not.toContain(secret);
}, 60_000);

test('an environment that cannot be used ends the start with one message that lists every fault', async () => {
  const api = startApi({ PORT: 'eighty', LOG_LEVEL: 'loud' });
  expect(await api.exit).toBe(1);
  for (const name of ['PORT', 'LOG_LEVEL', 'JWT_SECRET']) expect(api.output()).toContain(`- ${name} `);
  expect(api.output()).not.toMatch(/\n\s+at /);
}, 60_000);

test('a port that is taken ends the start with status 1 and says so', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  try {
    const { port } = holder.address() as { port: number };
    const api = startApi({ JWT_SECRET: secret, PORT: String(port) });
    expect(await api.exit).toBe(1);
    expect(api.output()).toContain('EADDRINUSE');
  } finally {
    holder.close();
  }
}, 60_000);
