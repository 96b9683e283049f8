import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { jobHistory } from '@semantic-memory/client/testing/fake-jobs';
import { sendJson } from '@semantic-memory/client/testing/fake-routes';
import { type FakeService, startFakeService } from '@semantic-memory/client/testing/fake-service';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { runCommand } from './testing/run-command.ts';

let service: FakeService;
const run = (...args: string[]) => runCommand(service, args);
/** Answers the next request of that path with it. */
const answerWith = (path: string, body: unknown, status = 200) =>
  service.intercept((request, response) => {
    if (!request.path.endsWith(path)) return false;
    sendJson(response, status, body);
    return true;
  });
const [accepted, running, ended] = jobHistory(1, 'otter') as [Job, Job, Job];
const [, , failed] = jobHistory(2, 'heron', 'internal') as [Job, Job, Job];

beforeEach(async () => {
  service = await startFakeService();
});
afterEach(() => service.close());

test('a job at work is told with its attempts, its warnings and how long it may take', async () => {
  const stages = [
    { name: 'parse', state: 'done', attempts: 1, done: 3, total: 3 },
    { name: 'ocr', state: 'running', attempts: 3, done: 0, total: 0 },
  ];
  const warnings = [
    { code: 'page_unreadable', message: 'It cannot be read.', page: 7 },
    { code: 'encoding_guessed', message: 'It may be wrong.' },
  ];
  answerWith(running.id, { ...running, stages, warnings, etaSeconds: 12.3 });
  const { status, out } = await run('status', running.id);
  expect(status).toBe(0);
  expect(out.split('\n').slice(2)).toEqual([
    '  parse  done            3/3',
    '  ocr    running                       3 attempts',
    '  page_unreadable: It cannot be read. (page 7)',
    '  encoding_guessed: It may be wrong.',
    'about 13 s to go',
    '',
  ]);
});

test('a job that failed makes the exit status 1, and its error is told with the hint, where there is one', async () => {
  answerWith(failed.id, failed);
  expect(await run('status', failed.id)).toMatchObject({
    status: 1,
    out: expect.stringMatching(/internal: The document is internal\. Send another one\.\n$/),
  });
  answerWith(failed.id, { ...failed, error: { code: 'internal', message: 'Nobody knows.' } });
  expect((await run('status', failed.id)).out).toMatch(/internal: Nobody knows\.\n$/);
});

test('a comparison of models is told as far as it was made', async () => {
  const comparison = { formerModel: 'former', model: 'next', verdict: 'good', reasons: [], switched: true };
  answerWith(ended.id, { ...ended, comparison });
  expect((await run('status', ended.id)).out).toMatch(/former -> next: switched\n$/);
  const judged = { queries: 3, former: 0.5, next: 0.75, interval: [0, 1] };
  answerWith(ended.id, { ...ended, comparison: { ...comparison, judged } });
  expect((await run('status', ended.id)).out).toMatch(/ {2}judged queries 0.5 -> 0.75 \(3 queries\)\n$/);
});

test('scripts get a job, and the whole status, as JSON', async () => {
  answerWith(running.id, running);
  expect(JSON.parse((await run('status', running.id, '--json')).out)).toEqual(running);
  const whole = JSON.parse((await run('status', '--json')).out);
  expect(whole).toMatchObject({ health: { ready: true }, stats: { documents: 0, consistent: true }, jobs: [] });
});

test('a service that is not ready makes the exit status 1, and what is down is named', async () => {
  const dependencies = { redis: { state: 'down' }, chroma: { state: 'up' } };
  answerWith('/health/ready', { state: 'not_ready', dependencies }, 503);
  const counts = { documents: 1, chunks: 2, vectors: 1, postings: 2 };
  answerWith('/stats', { ...counts, namespaces: [], consistent: false });
  const { status, out } = await run('status');
  expect(status).toBe(1);
  expect(out).toBe('not_ready; down: redis\n1 documents, 2 chunks, 1 vectors; the stores do not agree\n');
});

test('all pages of the dead letters are listed, also one that nobody knows a reason of', async () => {
  const { error: _, ...nameless } = failed;
  answerWith('/admin/dead-letters', { items: [failed], nextCursor: 'more' });
  answerWith('/admin/dead-letters', { items: [{ ...nameless, id: 'job_2' }] });
  const { out } = await run('admin', 'dead-letters');
  expect(out).toBe(`${failed.id}  heron  parse: The document is internal.\njob_2  heron  parse: unknown\n`);
  expect(service.requests.map(({ query }) => query.get('cursor'))).toEqual([null, 'more']);
});

test('scripts get what an operator does as JSON', async () => {
  answerWith('/admin/dead-letters', { items: [failed] });
  expect(JSON.parse((await run('admin', 'dead-letters', '--json')).out)).toEqual([failed]);
  answerWith('/retry', accepted);
  expect(JSON.parse((await run('admin', 'retry', accepted.id, '--json')).out)).toEqual(accepted);
  expect(JSON.parse((await run('admin', 'reconcile', '--json')).out)).toMatchObject({ checked: 7, repaired: 1 });
});
