import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { bringNewman, runCollection } from '../documentation/newman.ts';
import { runbooks } from '../documentation/runbooks.ts';
import { waitForEnd } from '../job-end.ts';
import { type Service, startService } from '../service.ts';

// Everything is started here, beside whatever else the machine does.
jest.setTimeout(120_000);

/** What the documents tell people to run, run against one service. */
let service: Service;

beforeAll(async () => {
  service = await startService({ env: { EMBED_PROCESSES: '1', OCR_PROCESSES: '1' } });
  // What the commands of runbooks look at.
  const job = await service.client.ingestText('The harbour opens at six in the morning.', { documentId: 'harbour' });
  expect((await waitForEnd(service, job.id, 60_000)).state).toBe('succeeded');
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
}, 180_000);
