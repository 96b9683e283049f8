import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitForEnd } from '../job-end.ts';
import { type Service, startService } from '../service.ts';

/** One whole service, with its own Redis, Chroma and seven processes, and what a user does with it. */
let service: Service;

beforeAll(async () => {
  service = await startService();
}, 120_000);

afterAll(async () => {
  expect(await service.stop()).toBe(0);
}, 60_000);

const handbook = (bonus: string) =>
  `# Staff handbook\n\n## Holidays\n\nEveryone has 28 days of paid leave a year.\n\n## Bonus\n\n${bonus}\n`;

test('a document is accepted, found, quoted by its span, and answers a question with a citation', async () => {
  const job = await service.client.ingestText(handbook('The bonus is paid in March.'), {
    documentId: 'handbook',
    mediaType: 'text/markdown',
    metadata: { team: 'people' },
  });
  expect(job).toMatchObject({ documentId: 'handbook', version: 1, state: 'queued' });
  const ended = await waitForEnd(service, job.id);
  expect(ended).toMatchObject({ state: 'succeeded', progress: 1 });
  expect(ended.stages.map((stage) => [stage.name, stage.state])).toEqual([
    ['fetch', 'skipped'],
    ['parse', 'done'],
    ['ocr', 'skipped'],
    ['embed', 'done'],
    ['index', 'done'],
  ]);

  const { hits, mode, degraded } = await service.client.search({ query: 'how many days off do employees get' });
  expect({ mode, degraded }).toEqual({ mode: 'hybrid', degraded: undefined });
  const [best] = hits;
  expect(best).toMatchObject({ documentId: 'handbook', title: 'Staff handbook', metadata: { team: 'people' } });
  const text = await service.client.text('handbook');
  expect(text.slice(best?.span.start, best?.span.end)).toBe(best?.text);
  expect(best?.text).toContain('28 days');

  const answer = await service.client.rag({ question: 'When is the bonus paid?' });
  expect(answer.refused).toBe(false);
  expect(answer.answer).toContain('March');
  for (const { quote, span } of answer.citations) expect(text.slice(span.start, span.end)).toBe(quote);
  expect(answer.citations.length).toBeGreaterThan(0);
});

/** The files with vectors of tokens, of all versions. */
async function tokenFiles(): Promise<string[]> {
  const files = await readdir(join(service.dataDir, 'blobs'), { recursive: true });
  return files.filter((file) => file.endsWith('tokens.bin'));
}

test('the best hits are ranked by the vectors of their tokens, unless the request says no', async () => {
  expect(await tokenFiles()).toHaveLength(1);
  const ask = (rerank?: boolean) =>
    service.client.search({ query: 'how many days off', explain: true, ...(rerank === undefined ? {} : { rerank }) });
  for (const { hits, degraded } of [await ask(), await ask(true)]) {
    expect(degraded).toBeUndefined();
    for (const { explain } of hits) expect(explain?.rerank).toBeGreaterThan(0);
  }
  const { hits, degraded } = await ask(false);
  expect(degraded).toBeUndefined();
  expect(hits.map(({ explain }) => explain?.rerank)).toEqual(hits.map(() => undefined));
  // The model knows no Chinese: its tokens would say nothing, and who insists is told.
  const chinese = { query: '多少天的假期', explain: true };
  expect((await service.client.search(chinese)).hits[0]?.explain?.rerank).toBeUndefined();
  expect((await service.client.search({ ...chinese, rerank: true })).degraded).toEqual(['rerank_unavailable']);
});

test('the same document again replaces the version before: only the new text is found', async () => {
  const again = await service.client.ingestText(handbook('The bonus is paid in October.'), {
    documentId: 'handbook',
    mediaType: 'text/markdown',
  });
  expect(again.version).toBe(2);
  expect(await waitForEnd(service, again.id)).toMatchObject({ state: 'succeeded' });
  const { hits } = await service.client.search({ query: 'when is the bonus paid', topK: 50 });
  expect(hits.map((hit) => hit.version)).toEqual(hits.map(() => 2));
  expect(hits.some((hit) => hit.text.includes('October'))).toBe(true);
  expect(hits.some((hit) => hit.text.includes('March'))).toBe(false);
  const versions = (await service.client.versions('handbook')).items;
  expect(versions.map(({ version, active }) => [version, active])).toEqual([
    [2, true],
    [1, false],
  ]);
  expect(await service.client.stats()).toMatchObject({ documents: 1, consistent: true });
});

test('words are found through what stands unseen in them: NULs, lone surrogates, zero-width and right-to-left marks', async () => {
  const text = `The bea\u0000con is trim\u200bmed by the wic\u202ek\u202ckeeper\u2066 \ud800 at mid\u00adnight.`;
  const job = await service.client.ingestText(text, { documentId: 'unseen' });
  expect(await waitForEnd(service, job.id)).toMatchObject({ state: 'succeeded' });
  const { hits } = await service.client.search({ query: 'beacon trimmed wickkeeper midnight' });
  expect(hits[0]).toMatchObject({
    documentId: 'unseen',
    text: 'The beacon is trimmed by the wickkeeper \ufffd at midnight.',
  });
  await service.client.delete('unseen');
});

test('metadata that is patched filters at once', async () => {
  await service.client.patch('handbook', { metadata: { team: 'finance', year: 2026 } });
  const found = async (filter: Record<string, string | number>) =>
    (await service.client.search({ query: 'bonus', filter })).hits.length;
  expect(await found({ team: 'finance' })).toBeGreaterThan(0);
  expect(await found({ team: 'people' })).toBe(0);
});

test('what is deleted is gone from search, documents and content, and a second delete finds nothing', async () => {
  const receipt = await service.client.delete('handbook');
  expect(receipt).toMatchObject({ documentId: 'handbook', verifiedAbsent: true });
  expect(receipt.removed.chunks).toBeGreaterThan(0);
  expect(await tokenFiles()).toEqual([]);
  expect((await service.client.search({ query: 'bonus' })).hits).toEqual([]);
  await expect(service.client.document('handbook')).rejects.toMatchObject({ status: 404, code: 'not_found' });
  await expect(service.client.text('handbook')).rejects.toMatchObject({ status: 404 });
  await expect(service.client.delete('handbook')).rejects.toMatchObject({ status: 404 });
  expect(await service.client.stats()).toMatchObject({ documents: 0, chunks: 0, vectors: 0, consistent: true });

  const reborn = await service.client.ingestText('A new life under the old name.', { documentId: 'handbook' });
  expect(reborn.version).toBe(3);
  expect(await waitForEnd(service, reborn.id)).toMatchObject({ state: 'succeeded' });
});

test('a job tells every change, in order, to whoever watches, and can be watched again after its end', async () => {
  const job = await service.client.ingestText('Watch me go.', { documentId: 'watched' });
  const states: string[] = [];
  for await (const event of service.client.watchJob(job.id)) states.push(`${event.stage} ${event.state}`);
  // A short plain text has nothing to parse.
  expect(states[0]).toBe('embed queued');
  expect(states.at(-1)).toBe('index succeeded');
  const again: string[] = [];
  for await (const event of service.client.watchJob(job.id)) again.push(`${event.stage} ${event.state}`);
  expect(again).toEqual(states);
});

test.each([
  ['an empty file', '', 'empty.txt', 'empty_document'],
  ['bytes of no known kind', '\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007', 'blob.bin', 'unsupported_type'],
  ['a PDF that breaks off', '%PDF-1.7\n1 0 obj\n<< /Type /Catalog', 'broken.pdf', 'corrupt_document'],
])('%s ends as failed with its reason and a hint', async (_name, content, filename, code) => {
  const job = await service.client.ingestFile({ blob: new Blob([content]), filename }, {});
  const ended = await waitForEnd(service, job.id);
  expect(ended).toMatchObject({ state: 'failed', error: { code } });
  expect(ended.error?.message.length).toBeGreaterThan(10);
});

test('the processes of all tiers report their metrics on one port', async () => {
  const text = await (await fetch(service.metricsUrl)).text();
  expect(text).toMatch(/ingest_documents_total\{[^}]*outcome="succeeded"[^}]*\} [1-9]/);
  expect(text).toMatch(/search_duration_seconds_count\{[^}]*mode="hybrid"[^}]*\} [1-9]/);
});
