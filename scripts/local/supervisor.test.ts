import { expect, test } from '@jest/globals';
import { freePort } from '@semantic-memory/runtime/free-port';
import { processIdentity } from './process-identity.ts';
import { type Program, StartError } from './program.ts';
import { type SupervisorDeps, supervise } from './supervisor.ts';

const answers = async (port: number) =>
  fetch(`http://127.0.0.1:${port}`, { signal: AbortSignal.timeout(1_000) }).then(
    (response) => response.ok,
    () => false,
  );

/** A small server that ends by itself when asked for /end. */
function server(port: number, code = ''): Program {
  const body = `${code}
    const server = require('node:http').createServer((request, response) => {
      response.end(String(process.pid));
      if (request.url === '/end') process.exit(7);
    });
    server.listen(${port}, '127.0.0.1');`;
  return {
    name: 'server',
    command: process.execPath,
    args: ['-e', body],
    isReady: () => answers(port),
    readyWithinMs: 20_000,
  };
}

function watched() {
  const said: string[] = [];
  const pids: number[] = [];
  const lines: string[] = [];
  const deps: SupervisorDeps = {
    onLine: (_name, line) => lines.push(line),
    onSpawn: (_name, pid) => pids.push(pid),
    onGone: () => {},
    say: (message) => said.push(message),
    backoff: { firstMs: 10, longestMs: 40 },
  };
  return { said, pids, lines, deps };
}

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error('it did not come true within 15 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('a program that ends is started again, and stopped for good when asked', async () => {
  const port = await freePort();
  const { said, pids, deps } = watched();
  const supervised = supervise('server', async () => server(port), deps);
  await supervised.ready;
  await fetch(`http://127.0.0.1:${port}/end`).then((response) => response.text());
  await until(() => supervised.restarts() === 1 && supervised.isUp());
  expect(said[0]).toMatch(/^server ended with status 7; starting it again/);
  process.kill(pids[1] as number, 'SIGKILL');
  await until(() => supervised.restarts() === 2 && supervised.isUp());
  expect(await answers(port)).toBe(true);
  await supervised.stop(5_000);
  expect(await answers(port)).toBe(false);
  expect(supervised.restarts()).toBe(2);
  for (const pid of pids) expect(await processIdentity(pid)).toBeUndefined();
});

test('a lost race for a port is run again with another one at the first start', async () => {
  const ports = [await freePort(), await freePort()];
  const { deps } = watched();
  let asked = 0;
  const makeProgram = async (): Promise<Program> => {
    const port = ports[asked] as number;
    const taken = asked++ === 0 ? `console.log('taken'); process.exit(0);` : '';
    const explainFailure = (line: string) => (line === 'taken' ? ('port_taken' as const) : undefined);
    return { ...server(port, taken), explainFailure };
  };
  const supervised = supervise('server', makeProgram, deps);
  await supervised.ready;
  expect(await answers(ports[1] as number)).toBe(true);
  await supervised.stop(5_000);
});

test('a program that somebody kills while it starts is started again', async () => {
  const port = await freePort();
  const { deps, pids } = watched();
  const onSpawn = (name: string, pid: number) => {
    deps.onSpawn(name, pid);
    if (pids.length === 1) process.kill(pid, 'SIGKILL');
  };
  const supervised = supervise('server', async () => server(port), { ...deps, onSpawn });
  await supervised.ready;
  expect(pids).toHaveLength(2);
  expect(await answers(port)).toBe(true);
  await supervised.stop(5_000);
});

test('a program that cannot start at first is reported with what it said', async () => {
  const { deps, lines } = watched();
  const broken = server(await freePort(), `console.error('no such model'); process.exit(1);`);
  const supervised = supervise('server', async () => broken, deps);
  await expect(supervised.ready).rejects.toThrow(StartError);
  await expect(supervised.ready).rejects.toThrow(/status 1.*no such model/s);
  expect(lines).toEqual(['no such model']);
  await supervised.stop(100);
});

test('stopping in the middle of a start leaves nothing running', async () => {
  const { deps, pids } = watched();
  const never: Program = { ...server(await freePort()), isReady: async () => false };
  const supervised = supervise('server', async () => never, deps);
  const failed = expect(supervised.ready).rejects.toThrow(StartError);
  await until(() => pids.length === 1);
  await supervised.stop(5_000);
  await failed;
  expect(await processIdentity(pids[0] as number)).toBeUndefined();
});

test('stopping just when a program that was started again serves leaves nothing running', async () => {
  const port = await freePort();
  const { deps, pids } = watched();
  let asked: (() => void) | undefined;
  const served = Promise.withResolvers<void>();
  const isReady = async () => {
    if (!(await answers(port))) return false;
    asked?.();
    if (asked) await served.promise;
    return true;
  };
  const supervised = supervise('server', async () => ({ ...server(port), isReady }), deps);
  await supervised.ready;
  const startedAgain = new Promise<void>((resolve) => {
    asked = resolve;
  });
  process.kill(pids[0] as number, 'SIGKILL');
  await startedAgain;
  const stopped = supervised.stop(5_000);
  served.resolve();
  await stopped;
  expect(supervised.isUp()).toBe(false);
  expect(await processIdentity(pids[1] as number)).toBeUndefined();
});
