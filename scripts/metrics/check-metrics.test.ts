import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { criticalMetrics } from './critical-metrics.ts';

// Each test runs the command.
jest.setTimeout(60_000);

const script = fileURLToPath(new URL('../check_metrics.sh', import.meta.url));

/** Stands for Prometheus: answers each query with the series that are set for it. */
let server: Server;
let url: string;
let answers: Map<string, unknown>;
let tokens: (string | undefined)[];

beforeEach(async () => {
  // All is well: what must be there is, and nothing else answers.
  answers = new Map(criticalMetrics.map(({ query, wanted }) => [query, wanted === 'some' ? [series({}, '6')] : []]));
  tokens = [];
  server = createServer(async (request, response) => {
    tokens.push(request.headers.authorization);
    const query = new URLSearchParams(await text(request)).get('query') ?? '';
    const result = answers.get(query);
    if (request.url !== '/prometheus/api/v1/query' || result === undefined)
      return response.writeHead(400).end('no such query');
    return response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prometheus`;
});
afterEach(async () => {
  server.close();
  await once(server, 'close');
});

const series = (metric: Record<string, string>, value: string) => ({ metric, value: [1_700_000_000, value] });
const queryOf = (name: string) => criticalMetrics.find((metric) => metric.name === name)?.query ?? '';

async function check(args: string[], env: Record<string, string> = {}) {
  return promisify(execFile)(script, args, { env: { ...process.env, ...env } }).then(
    ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
    (error) => ({ status: error.code as number, stdout: error.stdout as string, stderr: error.stderr as string }),
  );
}

test('all metrics as they must be: status 0, one line each, the token is sent', async () => {
  const { status, stdout } = await check([], { PROMETHEUS_URL: url, PROMETHEUS_TOKEN: 'a-token' });
  expect(status).toBe(0);
  expect(stdout.trim().split('\n')).toEqual(criticalMetrics.map(({ name }) => `ok: ${name}`));
  expect(new Set(tokens)).toEqual(new Set(['Bearer a-token']));
});

test('a rate over its limit and a metric that is gone are told with status 1', async () => {
  answers.set(queryOf('queues move'), [series({ queue: 'ocr' }, '301')]);
  answers.set(queryOf('queues are watched'), []);
  const { status, stdout } = await check(['--url', url, '--json']);
  expect(status).toBe(1);
  const faults = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ ok }) => !ok);
  expect(faults).toEqual([
    { name: 'queues are watched', ok: false, fault: expect.stringContaining('no process of the service is scraped') },
    { name: 'queues move', ok: false, fault: expect.stringContaining('{"queue":"ocr"} 301') },
  ]);
});

test('a Prometheus that refuses, answers nonsense or is away is status 2', async () => {
  answers.delete(queryOf('queues move'));
  expect(await check(['--url', url])).toMatchObject({ status: 2, stderr: expect.stringContaining('it answered 400') });
  answers.set(queryOf('queues are watched'), 'nonsense');
  expect((await check(['--url', url])).status).toBe(2);
  expect(await check(['--url', 'http://127.0.0.1:9'])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('could not be asked'),
  });
});
