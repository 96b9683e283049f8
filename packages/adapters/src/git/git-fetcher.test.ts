import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createGitFetcher } from './git-fetcher.ts';
import { isPlainRef } from './git-settings.ts';

let root: string;
let server: Server;
let base: string;
let port: number;
let first: string;
let second: string;
/** What the server does instead of answering with a repository. */
let instead: ((url: string) => { status: number; headers?: Record<string, string> } | 'hang' | undefined) | undefined;

const git = (cwd: string, ...args: string[]) =>
  execFileSync('git', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: root,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@example.org',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@example.org',
    },
  }).trim();

/** Serves the repositories below `root` as `git http-backend` does behind a web server: https://git-scm.com/docs/git-http-backend */
function serveGit(): Server {
  return createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const other = instead?.(url.pathname);
    if (other === 'hang') return;
    if (other) {
      response.writeHead(other.status, other.headers).end();
      return;
    }
    const child = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env.PATH,
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        REQUEST_METHOD: request.method,
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
        REMOTE_ADDR: '127.0.0.1',
      },
    });
    request.pipe(child.stdin);
    const output: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => output.push(part));
    child.on('close', () => {
      const all = Buffer.concat(output);
      const split = all.indexOf('\r\n\r\n');
      const headers = all.subarray(0, split).toString().split('\r\n');
      for (const header of headers) {
        const [name = '', value = ''] = header.split(/: (.*)/s);
        if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
        else response.setHeader(name, value);
      }
      response.end(all.subarray(split + 4));
    });
  });
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'git-fetcher-test-'));
  const work = join(root, 'work');
  await mkdir(temporaryDirectory());
  await mkdir(join(work, 'docs', 'ü b'), { recursive: true });
  git(work, 'init', '-q', '-b', 'main', '.');
  await writeFile(join(work, 'README.md'), 'first\n');
  git(work, 'add', '-A');
  git(work, 'commit', '-qm', 'first');
  git(work, 'tag', '-a', 'v1', '-m', 'one');
  first = git(work, 'rev-parse', 'HEAD');
  await writeFile(join(work, 'README.md'), 'second\r\nline\n');
  await writeFile(join(work, 'docs', 'ü b', 'notes.txt'), 'notes');
  await writeFile(join(work, 'run.sh'), 'exit 0');
  await chmod(join(work, 'run.sh'), 0o755);
  // All that a hostile repository might hope to have run or followed.
  await symlink('/etc/passwd', join(work, 'passwd'));
  await symlink('/etc', join(work, 'etc'));
  await writeFile(
    join(work, '.gitattributes'),
    '*.md text eol=lf ident filter=lfs\n*.txt working-tree-encoding=UTF-16\n',
  );
  await writeFile(join(work, '.gitmodules'), '[submodule "sub"]\n\tpath = sub\n\turl = https://example.org/sub.git\n');
  git(work, '-c', 'core.attributesFile=/dev/null', 'add', '.gitmodules', '.gitattributes', 'passwd', 'etc', 'run.sh');
  git(work, 'update-index', '--add', '--cacheinfo', `160000,${first},sub`);
  for (const path of ['README.md', 'docs/ü b/notes.txt']) {
    const id = git(work, 'hash-object', '-w', '--no-filters', path);
    git(work, 'update-index', '--add', '--cacheinfo', `100644,${id},${path}`);
  }
  git(work, 'commit', '-qm', 'second');
  second = git(work, 'rev-parse', 'HEAD');
  git(work, 'branch', 'feature/x', first);
  git(root, 'clone', '-q', '--bare', 'work', 'repo.git');
  const large = join(root, 'large');
  await mkdir(large);
  git(large, 'init', '-q', '-b', 'main', '.');
  await writeFile(join(large, 'zeros'), Buffer.alloc(3_000_000));
  git(large, 'add', '-A');
  git(large, 'commit', '-qm', 'a bomb: three megabytes in three kilobytes');
  git(root, 'clone', '-q', '--bare', 'large', 'large.git');
  server = serveGit();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  base = `http://127.0.0.1:${port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(root, { recursive: true, force: true });
});
beforeEach(() => {
  instead = undefined;
});

const limits = { maxBytes: 1_000_000, timeoutMs: 20_000 };
const never = new AbortController().signal;
/** Others fetch at the same time. */
const temporaryDirectory = () => join(root, 'checkouts');
const fetcher = () =>
  createGitFetcher({
    allowHosts: [`127.0.0.1:${port}`, 'pinned.example'],
    temporaryDirectory: temporaryDirectory(),
  });
const checkouts = () => readdir(temporaryDirectory());

test('lists the files of the default branch as they were committed, without links and submodules', async () => {
  const checkout = await fetcher().checkout({ url: `${base}/repo.git` }, limits, never);
  expect(checkout.commit).toBe(second);
  expect(checkout.files.map((file) => file.path).sort()).toEqual([
    '.gitattributes',
    '.gitmodules',
    'README.md',
    'docs/ü b/notes.txt',
    'run.sh',
  ]);
  for (const file of checkout.files) expect((await readFile(file.localPath)).byteLength).toBe(file.bytes);
  const readme = checkout.files.find((file) => file.path === 'README.md');
  expect(await readFile(readme?.localPath ?? '', 'utf8')).toBe('second\r\nline\n');
  await checkout.dispose();
  expect(existsSync(readme?.localPath ?? '')).toBe(false);
});

test('takes a branch, a tag or a full commit', async () => {
  for (const ref of ['feature/x', 'v1', 'refs/heads/feature/x', first]) {
    const checkout = await fetcher().checkout({ url: `${base}/repo.git`, ref }, limits, never);
    expect(checkout.commit).toBe(first);
    expect(await readFile(checkout.files[0]?.localPath ?? '', 'utf8')).toBe('first\n');
    await checkout.dispose();
  }
});

test('says what is wrong with a ref or an address, and leaves nothing behind', async () => {
  const before = await checkouts();
  const failed = { code: 'fetch_failed', retry: { kind: 'never' } };
  const of = (url: string, ref?: string) => fetcher().checkout({ url, ref }, limits, never);
  await expect(of(`${base}/repo.git`, 'absent')).rejects.toMatchObject(failed);
  await expect(of(`${base}/repo.git`, 'f'.repeat(40))).rejects.toMatchObject(failed);
  await expect(of(`${base}/repo.git`, '--upload-pack=touch /tmp/x')).rejects.toMatchObject(failed);
  await expect(of(`${base}/absent.git`)).rejects.toMatchObject(failed);
  instead = () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } });
  await expect(of(`${base}/repo.git`)).rejects.toMatchObject({
    ...failed,
    message: expect.stringContaining('sign-in'),
  });
  instead = () => ({ status: 503 });
  await expect(of(`${base}/repo.git`)).rejects.toMatchObject({ code: 'fetch_failed', retry: { kind: 'backoff' } });
  expect(await checkouts()).toEqual(before);
});

test.each([
  'file:///etc',
  '/etc',
  'git@example.org:a/b.git',
  'ssh://example.org/a.git',
  'git://example.org/a.git',
  'ext::sh -c touch% /tmp/x',
  'http://user:secret@example.org/a.git',
  'http://127.0.0.1/a.git',
  'http://0x7f.1/a.git',
  'http://[::ffff:a9fe:a9fe]/a.git',
  'http://localhost/a.git',
  'http://internal.example/a.git',
])('refuses %s', async (url) => {
  const strict = createGitFetcher({ allowHosts: [], lookup: async () => ['10.0.0.1'] });
  await expect(strict.checkout({ url }, limits, never)).rejects.toMatchObject({ code: 'fetch_forbidden' });
});

test('connects to the address that was checked, though the name means nothing to the system', async () => {
  const pinned = createGitFetcher({ allowHosts: ['pinned.example'], lookup: async () => ['127.0.0.1'] });
  const checkout = await pinned.checkout({ url: `http://pinned.example:${port}/repo.git` }, limits, never);
  expect(checkout.commit).toBe(second);
  await checkout.dispose();
});

test('follows no redirect', async () => {
  const asked: string[] = [];
  instead = (url) => {
    asked.push(url);
    if (!url.startsWith('/moved.git')) return undefined;
    return { status: 302, headers: { location: `${base}/repo.git/info/refs?service=git-upload-pack` } };
  };
  await expect(fetcher().checkout({ url: `${base}/moved.git` }, limits, never)).rejects.toMatchObject({
    code: 'fetch_failed',
    message: expect.stringContaining('redirects'),
  });
  expect(asked.every((url) => url.startsWith('/moved.git'))).toBe(true);
});

test('refuses a repository that is too large before it is unpacked', async () => {
  const before = await checkouts();
  await expect(fetcher().checkout({ url: `${base}/large.git` }, limits, never)).rejects.toMatchObject({
    code: 'too_large',
  });
  expect(await checkouts()).toEqual(before);
});

test('stops at the end of its time, and when it is cancelled', async () => {
  const before = await checkouts();
  instead = () => 'hang';
  await expect(
    fetcher().checkout({ url: `${base}/repo.git` }, { ...limits, timeoutMs: 300 }, never),
  ).rejects.toMatchObject({ code: 'fetch_failed', retry: { kind: 'backoff' } });
  const controller = new AbortController();
  const connected = new Promise<void>((resolve) => {
    instead = () => {
      resolve();
      return 'hang';
    };
  });
  const pending = fetcher().checkout({ url: `${base}/repo.git` }, limits, controller.signal);
  await Promise.race([connected, pending]);
  controller.abort();
  await expect(pending).rejects.toMatchObject({ code: 'cancelled' });
  expect(await checkouts()).toEqual(before);
});

test('says so where there is no git', async () => {
  const without = createGitFetcher({ allowHosts: [`127.0.0.1:${port}`], searchPath: root });
  await expect(without.checkout({ url: `${base}/repo.git` }, limits, never)).rejects.toMatchObject({
    code: 'dependency_unavailable',
  });
});

test('takes as a ref only what is one name', () => {
  const good = ['main', 'feature/x-1', 'v1.0.0', 'refs/tags/v1', 'a'.repeat(40), 'HEAD', 'ünï'];
  const bad = ['', '-f', '--upload-pack=x', '+main', 'a:b', 'a b', 'a..b', 'a^', 'a~1', 'a@{1}', 'a*', 'a?', '@', 'a/'];
  expect(good.filter((ref) => !isPlainRef(ref))).toEqual([]);
  expect([...bad, 'a//b', 'a.lock', 'a.', '/a', 'a\0b', 'a\nb', 'a'.repeat(256)].filter(isPlainRef)).toEqual([]);
});
