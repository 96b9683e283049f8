import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Config, readConfig } from '@semantic-memory/runtime/config';
import { freePort } from '@semantic-memory/runtime/free-port';
import { answersHeartbeat } from './chroma-server.ts';
import { processIdentity } from './process-identity.ts';
import { answersPing } from './redis-server.ts';
import { type Everything, runEverything } from './run-everything.ts';
import { ownServices, type Service } from './services.ts';
import { readState } from './state-file.ts';

/** Stands for the API and for a worker: serves health and metrics, and says what it was given. */
const FAKE = `
  const answer = (request, response) => {
    if (request.url === '/metrics') return response.end('# TYPE asked_total counter\\nasked_total 1\\n');
    if (request.url === '/env') return response.end(JSON.stringify(process.env));
    response.end('{}');
  };
  const { createServer } = require('node:http');
  for (const port of [process.env.PORT, process.env.METRICS_PORT]) {
    if (port) createServer(answer).listen(Number(port), '127.0.0.1');
  }
  console.log(JSON.stringify({ level: 'warn', message: 'the fake has started' }));
  process.on('SIGTERM', () => { console.log('told to end'); process.exit(0); });`;

const fakeServices = (config: Config, env: Record<string, string>): Service[] =>
  ownServices(config, env)
    .filter(({ name }) => name === 'api' || name === 'worker-ocr')
    .map((service) => ({
      ...service,
      makeProgram: async (restart) => ({ ...(await service.makeProgram(restart)), args: ['-e', FAKE] }),
    }));

const said: string[] = [];
const alerts: string[] = [];
let config: Config;
let everything: Everything;

function run(): Everything {
  const env = { DATA_DIR: config.dataDir, PORT: String(config.port) };
  return runEverything(
    config,
    env,
    { JWT_SECRET: 'a secret of the test', WEBHOOK_SECRET: 'another' },
    {
      say: (message) => said.push(message),
      alert: (process, line) => alerts.push(`${process} ${line}`),
      ownServices: fakeServices,
    },
  );
}

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'semantic-memory-run-'));
  config = readConfig({ DATA_DIR: dataDir, PORT: String(await freePort()) });
  everything = run();
  await everything.ready;
}, 60_000);
afterAll(async () => {
  await everything.stop();
  await rm(config.dataDir, { recursive: true, force: true });
});

/** Fails with what was said, in place of a bare time-out, and before the clean-up begins. */
const inTime = async (what: string, done: Promise<void>): Promise<void> => {
  const late = delay(25_000, undefined, { ref: false }).then(() => {
    throw new Error(`${what} takes too long: ${said.join('; ')}`);
  });
  await Promise.race([done, late]);
};
const ports = () => readState<{ redis: number; chroma: number }>(join(config.dataDir, 'ports.json'), {} as never);
const processes = () => readState<Record<string, { pid: number }>>(join(config.dataDir, 'processes.json'), {});
const log = (name: string) => readFile(join(config.dataDir, 'logs', `${name}.log`), 'utf8');

test('Redis and Chroma run on ports of their own, and the services are told where', async () => {
  const { redis, chroma } = await ports();
  expect(await answersPing(redis)).toBe(true);
  expect(await answersHeartbeat(`http://127.0.0.1:${chroma}`)).toBe(true);
  const env = (await (await fetch(`http://127.0.0.1:${config.port}/env`)).json()) as Record<string, string>;
  expect(env).toMatchObject({
    REDIS_URL: `redis://127.0.0.1:${redis}`,
    CHROMA_HOST: '127.0.0.1',
    CHROMA_PORT: String(chroma),
    DATA_DIR: config.dataDir,
    JWT_SECRET: 'a secret of the test',
    WEBHOOK_SECRET: 'another',
    LOG_FORMAT: 'json',
  });
  expect(await log('api')).toContain('the fake has started');
  expect(alerts).toContain('worker-ocr {"level":"warn","message":"the fake has started"}');
});

test('the metrics of all processes come as one', async () => {
  const text = await everything.metricsText();
  expect(text.match(/# TYPE asked_total counter/g)).toHaveLength(1);
  expect(text).toContain('asked_total{process="api"} 1\nasked_total{process="worker-ocr"} 1\n');
  expect(text).toContain('supervisor_program_up{process="supervisor",program="redis"} 1');
});

test('a Redis that is killed comes back on its port', async () => {
  const { redis } = await ports();
  const before = (await processes()).redis?.pid as number;
  process.kill(before, 'SIGKILL');
  const deadline = Date.now() + 15_000;
  while ((await processes()).redis?.pid === before || !(await answersPing(redis))) {
    if (Date.now() > deadline) throw new Error(`Redis did not come back: ${said.join('; ')}`);
  }
  expect(said).toContainEqual(expect.stringMatching(/^redis was ended by SIGKILL; starting it again/));
  expect((await ports()).redis).toBe(redis);
});

test('everything ends in order and starts again as it was', async () => {
  const pids = Object.values(await processes()).map(({ pid }) => pid);
  const before = await ports();
  await inTime('the end', everything.stop());
  for (const pid of pids) expect(await processIdentity(pid)).toBeUndefined();
  expect(await log('worker-ocr')).toContain('told to end');
  expect(await processes()).toEqual({});
  everything = run();
  await inTime('the second start', everything.ready);
  expect(await ports()).toEqual(before);
}, 60_000);
