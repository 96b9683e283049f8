import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { eventually, waitForEnd } from '../job-end.ts';
import { descendants, type Service, startService } from '../service.ts';

/** Versions of a document, what was active when, and several callers at once on one document: with all processes. */
let service: Service;

// Beside whatever else the machine does.
jest.setTimeout(60_000);

beforeAll(async () => {
  service = await startService();
}, 120_000);

afterAll(async () => {
  expect(await service.stop()).toBe(0);
}, 60_000);

const ingest = (documentId: string, text: string) =>
  service.client.ingestText(text, { documentId, mediaType: 'text/markdown', title: documentId });

async function ingested(documentId: string, text: string): Promise<string> {
  const job = await ingest(documentId, text);
  expect(await waitForEnd(service, job.id)).toMatchObject({ state: 'succeeded' });
  return new Date().toISOString();
}

async function found(documentId: string, asOf?: string): Promise<string[]> {
  const { hits } = await service.client.search({
    query: 'how is the harbour',
    topK: 100,
    filter: { documentId },
    ...(asOf === undefined ? {} : { asOf }),
  });
  return [...new Set(hits.map((hit) => `${hit.version} ${/harbour is \w+/.exec(hit.text)?.[0]}`))];
}

/** The counter of one process type, over all processes. */
async function embeddedTokens(): Promise<number> {
  const text = await (await fetch(service.metricsUrl)).text();
  return [...text.matchAll(/^embedding_tokens_total\{[^}]*\} (\d+)/gm)].reduce(
    (sum, match) => sum + Number(match[1]),
    0,
  );
}

test('older versions are listed, can be read, and answer a search as of their time, until the document is deleted', async () => {
  const before = new Date(Date.now() - 1000).toISOString();
  const first = await ingested('harbour', 'The harbour is open.');
  const second = await ingested('harbour', 'The harbour is closed.');
  expect((await service.client.versions('harbour')).items).toMatchObject([
    { version: 2, state: 'active', active: true, chunks: 1 },
    { version: 1, state: 'superseded', active: false, chunks: 1 },
  ]);
  expect(await service.client.text('harbour', { version: 1 })).toBe('The harbour is open.');
  expect(await found('harbour')).toEqual(['2 harbour is closed']);
  expect(await found('harbour', first)).toEqual(['1 harbour is open']);
  expect(await found('harbour', second)).toEqual(['2 harbour is closed']);
  expect(await found('harbour', before)).toEqual([]);
  await expect(found('harbour', '2020-01-01T00:00:00Z')).rejects.toMatchObject({ status: 422 });
  expect(await service.client.stats()).toMatchObject({ consistent: true });

  expect(await service.client.delete('harbour')).toMatchObject({ verifiedAbsent: true });
  expect(await found('harbour', first)).toEqual([]);
  await expect(service.client.versions('harbour')).rejects.toMatchObject({ status: 404 });
});

test('one edited paragraph of a hundred embeds at most three chunks anew', async () => {
  const paragraphs = Array.from(
    { length: 100 },
    (_, index) =>
      `Paragraph ${index} tells of the harbour. ${'The ships come and go with the tide. '.repeat(3)}It ends.`,
  );
  await ingested('long', paragraphs.join('\n\n'));
  const before = await embeddedTokens();
  expect(before).toBeGreaterThan(3000);
  await ingested(
    'long',
    paragraphs.toSpliced(50, 0, 'A new paragraph, about the lighthouse and its keeper.').join('\n\n'),
  );
  expect((await embeddedTokens()) - before).toBeLessThanOrEqual(3 * 256);
}, 60_000);

test('of versions that come at the same time the newest is found in the end, and only that', async () => {
  const jobs = await Promise.all(
    Array.from({ length: 6 }, (_, index) => ingest('busy', `The harbour is number${index}.`)),
  );
  const ended = await Promise.all(jobs.map((job) => waitForEnd(service, job.id)));
  const newest = ended.reduce((one, other) => (other.version > one.version ? other : one));
  expect(newest).toMatchObject({ version: 6, state: 'succeeded' });
  for (const job of ended) expect(['succeeded', 'cancelled']).toContain(job.state);
  expect(await service.client.document('busy')).toMatchObject({ version: 6, state: 'active' });
  expect(await found('busy')).toEqual([expect.stringMatching(/^6 /)]);
  expect(await service.client.stats()).toMatchObject({ consistent: true });
}, 60_000);

test('a delete amid versions on their way, then the same document anew: the deleted stays deleted, the new one is found', async () => {
  const jobs = await Promise.all(
    Array.from({ length: 4 }, (_, index) => ingest('torn', `The harbour is old${index}.`)),
  );
  expect(await service.client.delete('torn')).toMatchObject({ verifiedAbsent: true });
  const reborn = await ingest('torn', 'The harbour is new.');
  expect(reborn.version).toBe(5);
  const ended = await Promise.all(jobs.map((job) => waitForEnd(service, job.id)));
  expect(await waitForEnd(service, reborn.id)).toMatchObject({ state: 'succeeded' });
  expect(await found('torn')).toEqual(['5 harbour is new']);
  expect((await service.client.versions('torn')).items.map(({ version }) => version)).toEqual([5]);
  // What was found before the delete needs no retry, and of the others there is nothing left.
  for (const { id, state } of ended)
    await expect(service.client.retry(id)).rejects.toMatchObject({ status: state === 'succeeded' ? 409 : 404 });
}, 60_000);

test('a cancelled job that is retried after a newer version was found does not come back', async () => {
  const first = await ingest('late', `The harbour is first. ${'It was so for long. '.repeat(2000)}`);
  const cancelled = await service.client.cancel(first.id).catch(() => undefined);
  await ingested('late', 'The harbour is second.');
  if (cancelled) await expect(service.client.retry(first.id)).rejects.toMatchObject({ status: 409 });
  expect(await found('late')).toEqual(['2 harbour is second']);
}, 60_000);

test('the worker that indexes is killed while versions are replaced: nothing is lost, doubled or stuck', async () => {
  const isIndexer = (command: string) => command.includes('apps/worker');
  const workers = (await descendants(service.pid)).filter(({ command }) => isIndexer(command));
  expect(workers.length).toBeGreaterThan(0);
  const names = Array.from({ length: 12 }, (_, index) => `killed-${index}`);
  for (const name of names) await ingested(name, `The harbour is one. ${name}.`);
  const jobs = await Promise.all(names.map((name) => ingest(name, `The harbour is two. ${name}.`)));
  for (const { pid } of workers) process.kill(pid, 'SIGKILL');
  for (const job of jobs) expect(await waitForEnd(service, job.id, 120_000)).toMatchObject({ state: 'succeeded' });
  for (const name of names) expect(await found(name)).toEqual(['2 harbour is two']);
  // What was just being taken away when its worker was killed is taken away by the reconciler, each minute.
  await eventually(async () => (await service.client.stats()).consistent, 90_000);
}, 240_000);
