import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createClient } from './client.ts';
import { fileForm } from './file-form.ts';
import { openFile } from './file-source.ts';
import { type FakeService, startFakeService } from './testing/fake-service.ts';

let service: FakeService;
let folder: string;

beforeEach(async () => {
  service = await startFakeService();
  folder = await mkdtemp(join(tmpdir(), 'client-files-'));
});
afterEach(async () => {
  await service.close();
  await rm(folder, { recursive: true });
});

test('a form is read as it was meant, whatever its names and texts hold', async () => {
  const blob = new Blob(['one\r\n--two\n'], { type: 'text/markdown' });
  const fields = { title: 'a "title"', documentId: undefined, metadata: { towns: ['Skarvøy', 'ص'] } };
  const form = await new Response(fileForm([{ blob, filename: 'a "b"\r\nc: ø.md' }], fields)).formData();
  expect([...form.keys()]).toEqual(['title', 'metadata', 'file']);
  expect(form.get('title')).toBe('a "title"');
  expect(JSON.parse(String(form.get('metadata')))).toEqual(fields.metadata);
  const file = form.get('file') as File;
  expect([file.name, file.type]).toEqual(['a "b"\r\nc: ø.md', 'text/markdown']);
  expect(await file.text()).toBe('one\r\n--two\n');
});

test('a file that is not there is told before anything is sent', async () => {
  const path = join(folder, 'nowhere.txt');
  await expect(openFile(path)).rejects.toMatchObject({
    ...{ name: 'ApiError', status: 0, code: 'unreadable_file' },
    message: `${path} cannot be read: ENOENT.`,
  });
});

test('a file that changes while it is sent ends the call, and is not sent again', async () => {
  const path = join(folder, 'growing.log');
  await writeFile(path, 'one line\n');
  const file = await openFile(path);
  await appendFile(path, 'another\n');
  let calls = 0;
  const counted: typeof fetch = (...args) => {
    calls += 1;
    return fetch(...args);
  };
  const client = createClient({ baseUrl: service.url, token: 'token', retryDelayMs: 1, fetch: counted });
  await expect(client.ingestFile(file)).rejects.toMatchObject({
    code: 'unreadable_file',
    message: 'The file was changed or removed while it was sent.',
  });
  expect(calls).toBe(1);
  expect(service.documents.size).toBe(0);
});
