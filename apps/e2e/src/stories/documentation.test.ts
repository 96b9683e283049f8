import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { startCuttingProxy } from '../documentation/cutting-proxy.ts';
import { loggedLines, sampledFields } from '../documentation/log-samples.ts';
import { bringNewman, runCollection } from '../documentation/newman.ts';
import { runbooks } from '../documentation/runbooks.ts';
import { languages, runSnippet } from '../documentation/snippets.ts';
import { waitForEnd } from '../job-end.ts';
import { type Service, startService } from '../service.ts';

// Everything is started here, beside whatever else the machine does.
jest.setTimeout(240_000);

/** What the documents tell people to run, run against one service. */
let service: Service;

beforeAll(async () => {
  service = await startService({ env: { EMBED_PROCESSES: '1', OCR_PROCESSES: '1' } });
  // What the commands of runbooks look at: a document that ends well, and one that does not.
  const { client } = service;
  const jobs = [
    await client.ingestText('The harbour opens at six in the morning.', { documentId: 'harbour' }),
    await client.ingestFile({ blob: new Blob(['%PDF-1.7\nbroken']), filename: 'broken.pdf' }, {}),
  ];
  const ended = await Promise.all(jobs.map((job) => waitForEnd(service, job.id, 60_000)));
  expect(ended.map(({ state }) => state)).toEqual(['succeeded', 'failed']);
}, 180_000);

afterAll(async () => {
  await service?.stop();
}, 60_000);

const hasNewman = await bringNewman();
if (!hasNewman) console.warn('skipped: tool missing: newman. The Postman collection was NOT run.');

(hasNewman ? test : test.skip)('the Postman collection runs from its first request to its last', async () => {
  const run = await runCollection({ baseUrl: service.url, token: service.token });
  expect(run.failures).toEqual([]);
  expect(run.requests).toBeGreaterThan(35);
  expect(run.assertions).toBeGreaterThan(run.requests * 2);
  // It leaves nothing behind.
  expect((await service.client.documents({ namespace: 'postman' })).items).toEqual([]);
  // What fails is told.
  const stranger = await runCollection({ baseUrl: service.url, token: 'none' }, 'ingest');
  expect(stranger.failures.length).toBeGreaterThan(5);
  expect(stranger.failures[0]).toContain('Take in a text: answers 202 expected response to have status code 202');
});

test('the commands of every runbook work', async () => {
  const { basis, all } = await runbooks();
  const env = { ...process.env, API: service.url, METRICS: service.metricsUrl, TOKEN: service.token };
  for (const { name, commands } of all) {
    const ran = await promisify(execFile)('bash', ['-euc', `${basis}\n${commands}`], { env }).catch(
      (error: { stdout: string; stderr: string }) => ({ ...error, failed: true }),
    );
    expect({ name, failed: 'failed' in ran, said: 'failed' in ran ? ran.stdout + ran.stderr : '' }).toEqual({
      name,
      failed: false,
      said: '',
    });
  }
});

test('the samples for Promtail and Alloy find their fields in the log', async () => {
  const lines = await loggedLines(service.dataDir);
  expect(new Set(lines.map(({ module }) => module))).toEqual(new Set(['api', 'worker']));
  for (const { timestamp, level, message } of lines) {
    expect(new Date(String(timestamp)).toISOString()).toBe(timestamp);
    expect([level, message]).toEqual([expect.stringMatching(/^(?:error|warn|info|debug)$/), expect.any(String)]);
  }
  const { promtail, alloy } = await sampledFields();
  expect(alloy).toEqual(promtail);
  const seen = new Set(lines.flatMap((line) => Object.keys(line)));
  expect(promtail.filter((field) => !seen.has(field))).toEqual([]);
});

test.each(languages)('the snippets in %s make a token, take in a folder, search and ask', async (language) => {
  const folder = await mkdtemp(join(tmpdir(), 'semantic-memory-snippets-'));
  // It breaks the connection of an answer once.
  const proxy = await startCuttingProxy(service.url, 'event: token');
  try {
    await mkdir(join(folder, 'sub'));
    await writeFile(join(folder, 'harbour.md'), '# Harbour\n\nThe harbour opens at six in the morning.');
    await writeFile(join(folder, 'sub/ferry.txt'), 'The ferry to Skerry leaves at a quarter past nine.');
    await writeFile(join(folder, 'zero.txt'), '');

    const secret = (await readFile(join(service.dataDir, 'jwt-secret'), 'utf8')).trim();
    const made = await runSnippet(language, 'token', [`snippets-${language}`], { JWT_SECRET: secret });
    const env = { SEMANTIC_MEMORY_URL: service.url, SEMANTIC_MEMORY_TOKEN: made.stdout.trim() };

    const nowhere = await runSnippet(language, 'bulk-ingest', [join(folder, 'nowhere')], env);
    expect([nowhere.status, nowhere.stdout]).toEqual([1, '']);
    const taken = await runSnippet(language, 'bulk-ingest', [folder, 'snippets'], env);
    expect(
      taken.stdout
        .trim()
        .split('\n')
        .map((line) => line.split('\t')[0])
        .sort(),
    ).toEqual(['2 of 3 documents can be searched', 'failed', 'succeeded', 'succeeded']);
    expect(taken.status).toBe(1);

    const queries = 'when does the harbour open?\nthe ferry to Skerry\n';
    const found = await runSnippet(language, 'batched-search', ['snippets'], env, queries);
    const [harbour, ferry] = found.stdout.split('\n').map((line) => line.split('\t'));
    expect(harbour).toEqual([
      'when does the harbour open?',
      expect.stringMatching(/^doc_/),
      expect.stringMatching(/^0-\d+$/),
      '# Harbour The harbour opens at six in the morning.',
    ]);
    expect(ferry?.[3]).toContain('a quarter past nine');

    const question = ['When does the harbour open?', 'snippets'];
    const asked = await runSnippet(language, 'streaming-rag', question, { ...env, SEMANTIC_MEMORY_URL: proxy.url });
    expect(asked).toMatchObject({ status: 0, stderr: expect.stringContaining('the connection is lost') });
    const [answer, ...citations] = asked.stdout.trim().split('\n');
    expect(answer).toMatch(/^The harbour opens at six in the morning\. \[1\](?! The harbour)/);
    expect(citations[0]).toMatch(/^\[1\] doc_\w+: “The harbour opens at six in the morning\.”$/);
    expect(proxy.cuts()).toBe(1);

    const refused = await runSnippet(
      language,
      'batched-search',
      ['snippets'],
      { ...env, SEMANTIC_MEMORY_TOKEN: 'no' },
      'x',
    );
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain('401 unauthenticated');
  } finally {
    await proxy.close();
    await rm(folder, { recursive: true });
  }
});
