import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import { waitForEnd } from '../job-end.ts';
import { type Service, startService } from '../service.ts';

const run = promisify(execFile);
const disk = await mkdtemp(join(tmpdir(), 'semantic-memory-disk-'));

/** A disk of our own, which may be filled. @returns why not, where this machine does not allow it */
async function mountSmallDisk(): Promise<string | undefined> {
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk]);
    return undefined;
  } catch (error) {
    return `a tmpfs cannot be mounted here (${(error as Error).message.trim().split('\n').at(-1)})`;
  }
}

const missing = await mountSmallDisk();
if (missing !== undefined) {
  process.stderr.write(`skipped: tool missing: ${missing}\n`);
  test.skip(`skipped: tool missing: ${missing}`, () => {});
} else {
  let service: Service;
  const blobs = join(disk, 'blobs');
  const ballast = join(disk, 'ballast');
  const temporaryFiles = async () => [
    ...(await readdir(join(blobs, '.tmp'))),
    ...(await readdir(join(blobs, 'uploads')).catch(() => [])),
  ];

  /** Writes until nothing more fits. */
  async function fill(): Promise<void> {
    const piece = Buffer.alloc(256 * 1024, 1);
    for (let size = piece.length; size >= 1; size = size > 4096 ? 4096 : size - 4096) {
      for (;;) {
        try {
          await writeFile(ballast, piece.subarray(0, size), { flag: 'a' });
        } catch (error) {
          expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
          break;
        }
      }
    }
  }

  async function post(body: FormData | object): Promise<{ status: number; retryAfter: string | null; text: string }> {
    const isForm = body instanceof FormData;
    const answer = await fetch(`${service.url}${apiPrefix}/ingest`, {
      method: 'POST',
      headers: { authorization: `Bearer ${service.token}`, ...(isForm ? {} : { 'content-type': 'application/json' }) },
      body: isForm ? body : JSON.stringify(body),
    });
    return { status: answer.status, retryAfter: answer.headers.get('retry-after'), text: await answer.text() };
  }

  function upload(bytes: number): FormData {
    const form = new FormData();
    form.set('file', new Blob(['The tide is high. '.repeat(bytes / 18)]), 'tide.txt');
    form.set('documentId', 'refused');
    return form;
  }

  beforeAll(async () => {
    service = await startService({ env: { BLOB_DIR: blobs } });
  }, 120_000);

  afterAll(async () => {
    await service?.stop();
    await run('umount', [disk]);
    await rm(disk, { recursive: true, force: true });
  }, 60_000);

  test('on a full disk nothing is accepted and nothing piles up; with room again the same processes go on', async () => {
    const before = await service.client.ingestText('The lighthouse was built in 1822.', { documentId: 'before' });
    expect(await waitForEnd(service, before.id)).toMatchObject({ state: 'succeeded' });
    // Accepted while there is room, and still on its way when there is none: it waits, and does not fail.
    const open = await service.client.ingestText('The pilot boat lies in the east harbour. '.repeat(3_000), {
      documentId: 'open',
    });
    await fill();
    expect((await service.client.job(open.id)).state).not.toBe('succeeded');

    for (const body of [
      { documentId: 'refused', source: { type: 'text', text: 'small enough for a single write' } },
      upload(5_000),
      upload(3_000_000),
    ]) {
      const answer = await post(body);
      expect({ ...answer, text: '' }).toEqual({
        status: 503,
        retryAfter: expect.stringMatching(/^[1-9]\d*$/),
        text: '',
      });
      expect(JSON.parse(answer.text)).toMatchObject({ error: { code: 'dependency_unavailable' } });
    }
    for (let more = 0; more < 20; more += 1) expect((await post(upload(200_000))).status).toBe(503);
    expect((await fetch(`${service.url}/health/ready`)).status).toBe(503);
    expect((await service.client.search({ query: 'when was the lighthouse built' })).hits[0]?.documentId).toBe(
      'before',
    );
    await expect(service.client.document('refused')).rejects.toMatchObject({ status: 404 });
    expect(await temporaryFiles()).toEqual([]);

    await rm(ballast);
    expect(await waitForEnd(service, open.id, 90_000)).toMatchObject({ state: 'succeeded' });
    const after = await post(upload(5_000));
    expect(after.status).toBe(202);
    const { id, version } = JSON.parse(after.text) as { id: string; version: number };
    expect(await waitForEnd(service, id)).toMatchObject({ state: 'succeeded' });
    expect((await service.client.versions('refused')).items.map((item) => item.version)).toEqual([version]);
    const jobs = (await service.client.jobs()).items;
    expect(jobs.map((job) => job.documentId).sort()).toEqual(['before', 'open', 'refused']);
    expect(await temporaryFiles()).toEqual([]);
    expect(await service.client.stats()).toMatchObject({ documents: 3, consistent: true });
  }, 240_000);
}
