import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { claimPort, isPortFree } from '@semantic-memory/runtime/free-port';
import jwt from 'jsonwebtoken';
import { fitsNpmBinary } from './chroma-binary.ts';
import { lockDataDir } from './data-dir-lock.ts';
import { demoToken, keepSecret } from './kept-secret.ts';
import { endLeftovers, leftoversFile } from './leftovers.ts';
import { openLogFile } from './log-file.ts';
import { processIdentity } from './process-identity.ts';
import { parsePin } from './python-wheel.ts';
import { rememberedPort, rememberPort } from './remembered-port.ts';

const directories: string[] = [];
async function dataDir(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'semantic-memory-data-'));
  directories.push(directory);
  return directory;
}
afterAll(async () => {
  for (const directory of directories) await rm(directory, { recursive: true, force: true });
});

test('a folder in use is refused, and free again after it is given back', async () => {
  const directory = await dataDir();
  const unlock = await lockDataDir(directory);
  await expect(lockDataDir(directory)).rejects.toThrow(/is in use by another copy \(process \d+\)/);
  await unlock();
  await (await lockDataDir(directory))();
});

test('the lock of a process that is gone is taken over, and so is one whose number went to another process', async () => {
  const directory = await dataDir();
  const gone = spawn(process.execPath, ['-e', '']);
  await once(gone, 'exit');
  await writeFile(join(directory, 'lock'), JSON.stringify({ pid: gone.pid, identity: 'earlier' }));
  await (await lockDataDir(directory))();
  await writeFile(join(directory, 'lock'), JSON.stringify({ pid: process.pid, identity: 'an earlier start' }));
  await (await lockDataDir(directory))();
  await writeFile(join(directory, 'lock'), '{"pi');
  await (await lockDataDir(directory))();
});

test('of many that want a stale lock at once, one gets it', async () => {
  const directory = await dataDir();
  await writeFile(join(directory, 'lock'), JSON.stringify({ pid: process.pid, identity: 'an earlier start' }));
  const module = new URL('data-dir-lock.ts', import.meta.url).href;
  const code = `import(${JSON.stringify(module)}).then(async ({ lockDataDir }) => {
    await lockDataDir(${JSON.stringify(directory)}).then(() => console.log('got it'), () => console.log('refused'));
    process.stdin.resume();
  });`;
  const racers = [1, 2, 3].map(() => spawn(process.execPath, ['-e', code], { stdio: ['pipe', 'pipe', 'inherit'] }));
  const outcomes = await Promise.all(racers.map(async (racer) => String((await once(racer.stdout, 'data'))[0]).trim()));
  for (const racer of racers) racer.kill('SIGKILL');
  expect(outcomes.sort()).toEqual(['got it', 'refused', 'refused']);
});

test('processes of a killed run are waited for, then killed', async () => {
  const directory = await dataDir();
  const stubborn = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true });
  await once(stubborn, 'spawn');
  const exited = once(stubborn, 'exit');
  const pid = stubborn.pid as number;
  const said: string[] = [];
  await (await endLeftovers(leftoversFile(directory), 0, () => {})).add('stubborn', pid);
  await endLeftovers(leftoversFile(directory), 50, (message) => said.push(message));
  await exited;
  expect(await processIdentity(pid)).toBeUndefined();
  expect(said.at(-1)).toMatch(/killing stubborn/);
});

test('the secret is made once, for its owner only, and its token is for the demo tenant', async () => {
  const directory = await dataDir();
  const secret = await keepSecret(directory, 'jwt-secret');
  expect(secret.length).toBeGreaterThanOrEqual(32);
  expect(await keepSecret(directory, 'jwt-secret')).toBe(secret);
  expect((await stat(join(directory, 'jwt-secret'))).mode & 0o777).toBe(0o600);
  const claims = jwt.verify(demoToken(secret, { audience: 'me' }), secret, { algorithms: ['HS256'], audience: 'me' });
  expect(claims).toMatchObject({ tenant: 'demo', scope: 'memory:read memory:write memory:admin' });
  const { iat = 0, exp = 0 } = claims as jwt.JwtPayload;
  expect(exp - iat).toBe(30 * 24 * 3600);
});

const givenOut = new Set<number>();

/** One that an earlier start had and that nobody has now; from the test's range, where no outgoing connection takes it. */
async function portOfLastTime(): Promise<number> {
  const [first = 0, last = 0] = (process.env.FREE_PORTS as string).split('-').map(Number);
  for (;;) {
    const port = randomInt(first, last + 1);
    if (givenOut.has(port) || !(await isPortFree(port, '127.0.0.1'))) continue;
    givenOut.add(port);
    return port;
  }
}

test('a server finds its old port again, unless that is taken or promised to another', async () => {
  const directory = await dataDir();
  const port = await portOfLastTime();
  await rememberPort(directory, 'redis', port);
  expect(await rememberedPort(directory, 'redis')).toBe(port);
  const taken = Number(new URL(process.env.TEST_REDIS_URL as string).port);
  await rememberPort(directory, 'redis', taken);
  expect(await isPortFree(taken, '127.0.0.1')).toBe(false);
  expect(await rememberedPort(directory, 'redis')).not.toBe(taken);
  const promised = await portOfLastTime();
  await rememberPort(directory, 'redis', promised);
  expect(await claimPort(promised, 'api', '127.0.0.1')).toBe(true);
  expect(await rememberedPort(directory, 'redis')).not.toBe(promised);
});

test('servers that come up at the same time all find their ports again', async () => {
  const directory = await dataDir();
  const names = ['redis', 'chroma', 'another'];
  const ports = await Promise.all(names.map(portOfLastTime));
  await Promise.all(names.map((name, index) => rememberPort(directory, name, ports[index] as number)));
  for (const [index, name] of names.entries()) expect(await rememberedPort(directory, name)).toBe(ports[index]);
});

test('a log starts a new file at each start and when it grows too large', async () => {
  const file = join(await dataDir(), 'logs', 'api.log');
  const first = openLogFile(file);
  first.write('of the first run');
  await first.close();
  const second = openLogFile(file, 20);
  second.write('of the second run');
  second.write('more');
  await second.close();
  expect(await readFile(file, 'utf8')).toBe('more\n');
  expect(await readFile(`${file}.1`, 'utf8')).toBe('of the second run\n');
  expect(await readFile(`${file}.2`, 'utf8')).toBe('of the first run\n');
});

test('the binary of the npm package is taken where the C library is new enough', () => {
  expect(fitsNpmBinary('darwin', undefined)).toBe(true);
  expect(fitsNpmBinary('linux', '2.39')).toBe(true);
  expect(fitsNpmBinary('linux', '2.36')).toBe(false);
  expect(fitsNpmBinary('linux', undefined)).toBe(false);
});

test('name and version are read from a requirements file', () => {
  expect(parsePin('# why\nchromadb==1.5.9 \\\n  --hash=sha256:00')).toEqual({ name: 'chromadb', version: '1.5.9' });
});
