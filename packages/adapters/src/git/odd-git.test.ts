import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { gitFailure } from './git-errors.ts';
import { createGitFetcher } from './git-fetcher.ts';
import { runGit } from './run-git.ts';

/** A git that is old, cannot be started, writes without end or leaves children behind. */
let folder: string;
const checkouts = async () => (await readdir(folder)).filter((name) => name.startsWith('semantic-memory-git-'));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'odd-git-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** @param script the body of a program that is given the arguments as `process.argv` */
async function putGit(script: string, mode = 0o755): Promise<void> {
  await writeFile(join(folder, 'git'), `#!${process.execPath}\n${script}\n`);
  await chmod(join(folder, 'git'), mode);
}

/** A git of today whose other commands do what `script` says. */
const putModernGit = (script: string) =>
  putGit(`
const args = process.argv.slice(2);
const command = args.find((arg, at) => !arg.startsWith('-') && args[at - 1] !== '-c');
if (args[0] === '--version') console.log('git version 2.50.1');
else if (command === 'rev-parse') console.log('${'a'.repeat(40)}');
else { ${script} }`);

const limits = { maxBytes: 1000, timeoutMs: 20_000 };
const never = new AbortController().signal;
const checkout = (signal = never) =>
  createGitFetcher({ allowHosts: ['127.0.0.1'], searchPath: folder, temporaryDirectory: folder }).checkout(
    { url: 'http://127.0.0.1/repo.git' },
    limits,
    signal,
  );

async function expectRefusal(pending: Promise<unknown>, wanted: object): Promise<void> {
  await expect(pending).rejects.toMatchObject(wanted);
  expect(await checkouts()).toEqual([]);
}

test.each(['git version 2.36.9', 'git version 1.99', 'what a surprise'])(
  '%s is too old to pin addresses',
  async (says) => {
    await putGit(`console.log(${JSON.stringify(says)})`);
    await expectRefusal(checkout(), { code: 'dependency_unavailable', hint: expect.stringContaining(says) });
  },
);

test('a git that cannot be started is a fault that is passed on', async () => {
  await putGit('', 0o644);
  await expectRefusal(checkout(), { code: 'EACCES' });
});

test('a repository that grows beyond the limit while it is fetched is stopped', async () => {
  await putModernGit(`
    if (command === 'fetch') {
      require('node:fs').writeFileSync('pack', Buffer.alloc(5000));
      setInterval(() => {}, 1000);
    }`);
  await expectRefusal(checkout(), { code: 'too_large' });
});

test('a listing without end is stopped', async () => {
  await putModernGit(`
    if (command === 'ls-tree') {
      const write = () => process.stdout.write(Buffer.alloc(2 ** 20), write);
      write();
    }`);
  await expectRefusal(checkout(), { code: 'too_large' });
});

test('a fetch that is stopped ends with what it was stopped for', async () => {
  await putModernGit(`
    if (command === 'fetch') {
      require('node:fs').writeFileSync(${JSON.stringify(join(folder, 'fetching'))}, '');
      setInterval(() => {}, 1000);
    }`);
  const stop = new AbortController();
  const pending = checkout(stop.signal);
  const tooLong = new MemoryError('limits_exceeded', 'The step took too long.');
  void untilThere(join(folder, 'fetching')).then(() => stop.abort(tooLong));
  await expect(pending).rejects.toBe(tooLong);
  expect(await checkouts()).toEqual([]);
});

async function untilThere(path: string): Promise<string> {
  for (;;) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
}

const options = () => ({ cwd: folder, env: { PATH: folder }, maxOutputBytes: 1000 });

test('a git that was never started has nothing to be killed', async () => {
  const stop = new AbortController();
  const run = runGit(['--version'], options(), stop.signal);
  stop.abort();
  await expect(run).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a git that has ended by itself is not missed where it is to be killed', async () => {
  // A child of its own group keeps the output open for longer than git lives.
  await putGit(`
    const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.unref();
    require('node:fs').writeFileSync('pids', process.pid + ' ' + child.pid);`);
  const stop = new AbortController();
  const run = runGit([], options(), stop.signal);
  let pids: number[] = [];
  while (pids.length < 2) pids = (await untilThere(join(folder, 'pids'))).split(' ').map(Number);
  const [git, child] = pids as [number, number];
  while (isAlive(git)) await new Promise(setImmediate);
  stop.abort();
  process.kill(child, 'SIGKILL');
  expect(await run).toMatchObject({ status: 0, overflowed: false });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('of a git that was killed the cause says so', () => {
  const killed = gitFailure({ status: null, stderr: '', stdout: Buffer.alloc(0), overflowed: false });
  expect(killed).toMatchObject({ code: 'fetch_failed', cause: { message: 'git ended with a signal: ' } });
});
