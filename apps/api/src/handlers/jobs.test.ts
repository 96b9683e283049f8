import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { Job } from '@semantic-memory/shared/contracts/model/job';
import type { ApiDeps } from '../api-deps.ts';
import { readEvents, startTestApi, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.close());

async function queued(text = 'x', fields: object = {}): Promise<Job> {
  return Job.parse(await (await api.post('/ingest', { source: { type: 'text', text }, ...fields })).json());
}
const statesOf = (events: { data: unknown }[]) => events.map((event) => Job.parse(event.data).state);

test('jobs are listed newest first, by page and by filter', async () => {
  const ids = [];
  for (const name of ['a', 'b', 'c']) ids.unshift((await queued(name, { documentId: name })).id);
  const first = (await (await api.call('/jobs?limit=2')).json()) as { items: Job[]; nextCursor: string };
  expect(first.items.map((job) => job.id)).toEqual(ids.slice(0, 2));
  const rest = (await (
    await api.call(`/jobs?limit=2&cursor=${encodeURIComponent(first.nextCursor)}`)
  ).json()) as object;
  expect(rest).toMatchObject({ items: [{ id: ids[2] }] });
  expect(rest).not.toHaveProperty('nextCursor');
  expect(await (await api.call('/jobs?documentId=b&state=queued')).json()).toMatchObject({ items: [{ id: ids[1] }] });
  expect(await (await api.call('/jobs?namespace=other')).json()).toEqual({ items: [] });
});

test('events tell every change, live, and end with the job', async () => {
  const job = await queued();
  const response = await api.call(`/jobs/${job.id}/events`);
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  expect(response.headers.get('cache-control')).toBe('no-cache, no-transform');
  const [events] = await Promise.all([readEvents(response), api.flow.drain()]);
  expect(events.every((event) => event.event === 'job' && /^\d+-\d+$/.test(event.id))).toBe(true);
  const states = statesOf(events);
  expect([states[0], states.at(-1)]).toEqual(['queued', 'succeeded']);
  expect(states).toContain('running');
});

test('a caller goes on after the last id it saw, and hears 204 once there is no more', async () => {
  const job = await queued();
  await api.flow.drain();
  const all = await readEvents(await api.call(`/jobs/${job.id}/events`));
  const seen = all[1]?.id ?? '';
  const rest = await readEvents(await api.call(`/jobs/${job.id}/events`, { headers: { 'last-event-id': seen } }));
  expect(rest).toEqual(all.slice(2));
  const over = await api.call(`/jobs/${job.id}/events`, { headers: { 'last-event-id': all.at(-1)?.id ?? '' } });
  expect(over.status).toBe(204);
  const odd = await api.call(`/jobs/${job.id}/events`, { headers: { 'last-event-id': '$' } });
  expect(odd.status).toBe(400);
});

test('a quiet stream says that it is alive, and ends when the process does', async () => {
  const quiet = await startTestApi((deps) => ({ limits: { ...deps.limits, heartbeatMs: 10 } }));
  const answer = await quiet.post('/ingest', { source: { type: 'text', text: 'x' } });
  const job = Job.parse(await answer.json());
  const response = await quiet.call(`/jobs/${job.id}/events`);
  const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!text.includes(': alive')) text += (await reader.read()).value;
  await quiet.close();
  while (!(await reader.read()).done);
});

test('a job is cancelled once, and retried only where that makes sense', async () => {
  const job = await queued();
  expect((await api.post(`/jobs/${job.id}/retry`, undefined)).status).toBe(409);
  const cancelled = await api.call(`/jobs/${job.id}/cancel`, { method: 'POST' });
  expect(await cancelled.json()).toMatchObject({ id: job.id, state: 'cancelled' });
  expect((await api.call(`/jobs/${job.id}/cancel`, { method: 'POST' })).status).toBe(409);
  const again = await api.call(`/jobs/${job.id}/retry`, { method: 'POST' });
  expect(await again.json()).toMatchObject({ id: job.id, state: 'queued' });
  await api.flow.drain();
  expect(await (await api.call(`/jobs/${job.id}`)).json()).toMatchObject({ state: 'succeeded' });
});

test('where the changes of a job can be watched no longer its stream ends, and the log says why', async () => {
  const warnings: string[] = [];
  const logger: ApiDeps['logger'] = {
    debug: () => {},
    info: () => {},
    warn: (message) => warnings.push(message),
    error: () => {},
    child: () => logger,
  };
  await api.close();
  api = await startTestApi(() => ({ logger }));
  const answer = await api.post('/ingest', { source: { type: 'text', text: 'x' } });
  const job = Job.parse(await answer.json());
  const { watchJob } = api.flow.ledger;
  api.flow.ledger.watchJob = async function* (...args) {
    for await (const event of watchJob(...args)) {
      yield event;
      throw new MemoryError('dependency_unavailable', 'Redis is away.');
    }
  };
  expect(statesOf(await readEvents(await api.call(`/jobs/${job.id}/events`)))).toEqual(['queued']);
  expect(warnings).toEqual(['the stream of a job broke off']);
  // Where the process is ending that is no news.
  api.flow.ledger.watchJob = async function* (...[, , , signal]) {
    await once(signal, 'abort');
    yield* [];
    throw new MemoryError('dependency_unavailable', 'Redis is closed.');
  };
  const last = await api.call(`/jobs/${job.id}/events`);
  api.deps.lifecycle.stop();
  expect(await readEvents(last)).toEqual([]);
  expect(warnings).toHaveLength(1);
});
