import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { jobHistory } from '@semantic-memory/client/testing/fake-jobs';
import { sendJson } from '@semantic-memory/client/testing/fake-routes';
import { type FakeService, startFakeService } from '@semantic-memory/client/testing/fake-service';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import jwt from 'jsonwebtoken';
import { urlOf } from './connect.ts';
import type { Io } from './io.ts';
import { runCommand } from './testing/run-command.ts';

let service: FakeService;
let folder: string;
const run = (args: string[], io: Partial<Io> = {}) => runCommand(service, args, io);

beforeEach(async () => {
  service = await startFakeService();
  folder = await mkdtemp(join(tmpdir(), 'cli-usage-'));
});
afterEach(async () => {
  await service.close();
  await rm(folder, { recursive: true });
});

/** A terminal that keeps what is drawn on it, and tells when `awaited` is. */
function createScreen(awaited = '') {
  const shown = Promise.withResolvers<void>();
  const screen = { drawn: '', shown: shown.promise };
  const stream = new Writable({
    write(chunk, _, done) {
      screen.drawn += chunk;
      if (screen.drawn.includes(awaited)) shown.resolve();
      done();
    },
  });
  const progressStream = Object.assign(stream, { isTTY: true, columns: 200, cursorTo: () => true }) as Writable;
  return { screen, io: { terminal: true, progressStream } };
}

test.each([
  [['search', 'x', '--filter', '{year'], 'It is not JSON.'],
  [['search', 'x', '-k', '0'], 'It is not a number from 1 on.'],
  [['search', 'x', '-k', 'many'], 'It is not a number from 1 on.'],
  [['search', 'x', '--min-score', 'high'], 'It is not a number.'],
  [['search', 'x', '--min-score', ' '], 'It is not a number.'],
  [['token', '--expires', 'soon'], '"soon" is not a time such as 90, 15m, 12h or 30d.'],
])('%j is refused before anything is sent', async (args, message) => {
  const { status, err } = await run(args);
  expect(status).toBe(1);
  expect(err).toContain(message);
  expect(service.requests).toEqual([]);
});

test('a filter goes as the JSON that it is', async () => {
  await run(['search', 'x', '--filter', '{"year":{"$gte":2025}}']);
  expect(JSON.parse(String(service.requests[0]?.body)).filter).toEqual({ year: { $gte: 2025 } });
});

test('an error is told with its details, and one of the token with how to make another', async () => {
  const refuse = (error: object) =>
    service.intercept((_, response) => {
      sendJson(response, 401, { error: { message: 'No.', ...error } });
      return true;
    });
  refuse({ code: 'unauthenticated' });
  expect((await run(['documents'])).err).toBe(
    'error: No. (unauthenticated)\nhint: Make another token: semantic-memory token.\n',
  );
  refuse({ code: 'unauthenticated', hint: 'It has expired.', details: { at: 1 } });
  expect((await run(['documents'])).err).toBe(
    'error: No. (unauthenticated)\nhint: It has expired.\ndetails: {"at":1}\n',
  );
  refuse({ code: 'forbidden' });
  expect((await run(['documents'])).err).toBe('error: No. (forbidden)\n');
});

test('the address is that of the option, of the environment, or of this machine', () => {
  const io = (env: Io['env']) => ({ env }) as Io;
  expect(urlOf(io({ SEMANTIC_MEMORY_URL: 'http://b' }), { url: 'http://a' })).toBe('http://a');
  expect(urlOf(io({ SEMANTIC_MEMORY_URL: 'http://b', PORT: '9' }), {})).toBe('http://b');
  expect(urlOf(io({ PORT: '9' }), {})).toBe('http://127.0.0.1:9');
  expect(urlOf(io({}), {})).toBe('http://127.0.0.1:8080');
  expect(urlOf(io({ SEMANTIC_MEMORY_URL: '', PORT: '' }), { url: '' })).toBe('http://127.0.0.1:8080');
});

test.each(['memory.example.com', 'localhost:8080', 'http://'])('%j is told to be no address', async (url) => {
  const { status, err } = await run(['documents', '--url', url]);
  expect(status).toBe(1);
  expect(err).toBe(`error: "${url}" is no address of a service, such as http://127.0.0.1:8080.\n`);
});

test('a token has the issuer that the service asks for, and comes as JSON for scripts', async () => {
  const env = { JWT_SECRET: 'a secret of the test', JWT_ISSUER: 'us' };
  const { out } = await run(['token', '--json', '--expires', '90'], { env });
  const { token, ...rest } = JSON.parse(out);
  expect(rest).toMatchObject({ tenant: 'demo', expiresInSeconds: 90 });
  expect(jwt.verify(token, env.JWT_SECRET, { issuer: 'us' })).toMatchObject({ tenant: 'demo' });
});

test('without DATA_DIR the secret below the current folder counts', async () => {
  await mkdir(join(folder, '.data'));
  await writeFile(join(folder, '.data', 'jwt-secret'), 'the secret of here');
  const before = process.cwd();
  process.chdir(folder);
  try {
    const { out } = await run(['token'], { env: {} });
    expect(jwt.verify(out.trim(), 'the secret of here')).toMatchObject({ tenant: 'demo' });
  } finally {
    process.chdir(before);
  }
});

test('a secret that is there and cannot be read is told', async () => {
  await mkdir(join(folder, 'jwt-secret'));
  const { status, err } = await run(['token'], { env: { DATA_DIR: folder } });
  expect(status).toBe(1);
  expect(err).toContain(`The secret in ${join(folder, 'jwt-secret')} cannot be read: EISDIR.`);
});

test('a web address is a source of its own kind, a path below a file is told as what it is', async () => {
  await run(['ingest', '--no-wait', 'https://example.org/a.html']);
  const source = { type: 'url', url: 'https://example.org/a.html' };
  expect(JSON.parse(String(service.requests[0]?.body)).source).toEqual(source);
  await writeFile(join(folder, 'a.txt'), 'x');
  expect((await run(['ingest', join(folder, 'a.txt', 'b')])).err).toContain('ENOTDIR');
});

test('a document that was taken in with warnings is told with them', async () => {
  await writeFile(join(folder, 'a.txt'), 'x');
  service.intercept((request, response) => {
    if (!request.path.endsWith('/events')) return false;
    const warnings = [
      { code: 'page_unreadable', message: 'It cannot be read.', page: 7 },
      { code: 'encoding_guessed', message: 'It may be wrong.' },
    ];
    const ended = { ...(jobHistory(1, 'doc-1')[2] as Job), warnings };
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`event: job\nid: 1\ndata: ${JSON.stringify(ended)}\n\n`);
    return true;
  });
  const { status, out } = await run(['ingest', folder]);
  expect(status).toBe(0);
  expect(out).toContain('page_unreadable: It cannot be read. (page 7)\n          encoding_guessed: It may be wrong.\n');
});

test('while a job waits for something the progress says so, and of a long path it shows the end', async () => {
  const name = `${'very-'.repeat(20)}long.txt`;
  await writeFile(join(folder, name), 'x');
  const { screen, io } = createScreen('waiting');
  const [, running] = jobHistory(1, 'doc-1') as [Job, Job, Job];
  service.intercept((request, response) => {
    if (!request.path.endsWith('/events')) return false;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`event: job\nid: 1\ndata: ${JSON.stringify({ ...running, state: 'waiting' })}\n\n`);
    void screen.shown.then(() => response.end());
    return true;
  });
  expect((await run(['ingest', join(folder, name)], io)).status).toBe(0);
  expect(screen.drawn).toMatch(/…[a-z-]*very-long\.txt/);
  expect(screen.drawn).not.toContain(name);
});

test('the one file of a folder is told by its own name, and no name steers the terminal', async () => {
  await writeFile(join(folder, 'a\u001b]0;owned\u0007.txt'), 'x');
  const { screen, io } = createScreen();
  expect((await run(['ingest', folder], io)).out).toMatch(/^succeeded a\]0;owned\.txt {2}doc-1\n/);
  expect(screen.drawn).not.toContain('\u001b]0;owned');
  expect((await run(['ingest', folder, '--dry-run'])).out).toMatch(/^would {5}a\]0;owned\.txt /);
});

test('a file that cannot be read is refused, and the others go on', async () => {
  for (const name of ['a.txt', 'b.txt']) await writeFile(join(folder, name), name);
  service.intercept(() => {
    rmSync(join(folder, 'b.txt'), { force: true });
    return false;
  });
  const { status, out } = await run(['ingest', '-c', '1', folder]);
  expect(status).toBe(1);
  expect(out).toContain(`refused   b.txt\n          unreadable_file: ${join(folder, 'b.txt')} cannot be read: ENOENT.`);
  expect(out).toContain('1 of 2 succeeded, 1 not');
});

test('files of the same name in two folders are both counted', async () => {
  for (const below of ['one', 'two']) {
    await mkdir(join(folder, below));
    for (const name of ['a.txt', 'b.txt']) await writeFile(join(folder, below, name), below);
  }
  const { io } = createScreen();
  const { out } = await run(['ingest', '--no-wait', join(folder, 'one'), join(folder, 'two')], io);
  expect(out).toContain('4 of 4 accepted');
  expect(service.documents.size).toBe(4);
});

test('two files that would have one id are told before anything is sent', async () => {
  await mkdir(join(folder, 'a'));
  for (const name of ['a/b.txt', 'a-b.txt']) await writeFile(join(folder, name), name);
  const { status, err } = await run(['ingest', '--ids-from-path', folder]);
  expect(status).toBe(1);
  expect(err).toBe('error: --ids-from-path would give the id a-b.txt to a/b.txt and a-b.txt.\n');
  expect(service.requests).toEqual([]);
});

test('documents are listed with their pages, and scripts get one, its text and its removal as JSON', async () => {
  await writeFile(join(folder, 'a.txt'), 'x');
  await run(['ingest', join(folder, 'a.txt'), '--id', 'a']);
  const [document] = JSON.parse((await run(['documents', '--json'])).out);
  service.intercept((_, response) => {
    sendJson(response, 200, { items: [{ ...document, pages: 12 }] });
    return true;
  });
  expect((await run(['documents'])).out).toContain('(version 1, 1 chunks, 12 pages)');
  expect(JSON.parse((await run(['documents', 'show', 'a', '--json'])).out)).toEqual(document);
  expect(JSON.parse((await run(['documents', 'text', 'a', '--json'])).out)).toEqual({ documentId: 'a', text: 'x' });
  const removed = JSON.parse((await run(['documents', 'delete', 'a', '--json'])).out);
  expect(removed).toMatchObject({ documentId: 'a', verifiedAbsent: true });
});

test('an export is told as JSON to scripts, an import that fails makes the exit status 1', async () => {
  const file = join(folder, 'a.bin');
  expect(JSON.parse((await run(['export', '-o', file, '--json'])).out)).toEqual({ file, bytes: 22 });
  // The fake service takes no such files.
  expect((await run(['import', file])).status).toBe(1);
});
