import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { writeDocx } from '../../chaos/contents/docx.ts';
import { freshTenant, type Target } from '../target.ts';

/** Uploads: what a file is follows from its bytes, where it lies from nothing that its sender says. */
export function uploadsRow(target: () => Target): void {
  interface Upload {
    readonly bytes: string | Uint8Array;
    readonly name: string;
    readonly type?: string;
  }
  async function upload(tenant: string, { bytes, name, type }: Upload): Promise<Job> {
    const form = new FormData();
    form.append(
      'file',
      new Blob([typeof bytes === 'string' ? bytes : new Uint8Array(bytes)], type ? { type } : {}),
      name,
    );
    return target().ingested(tenant, form);
  }
  const read = (tenant: string, { documentId }: Job) =>
    target().json<{ title: string; mediaType: string }>(`/documents/${documentId}`, tenant);

  describe('uploads', () => {
    test('the type is told by the bytes, not by the name or by what the sender says', async () => {
      const tenant = freshTenant('types');
      const elf = Buffer.concat([Buffer.from('\u007fELF\u0002\u0001\u0001', 'latin1'), Buffer.alloc(300)]);
      for (const pretended of [
        { name: 'report.pdf', type: 'application/pdf' },
        { name: 'notes.txt', type: 'text/plain' },
      ]) {
        expect(await upload(tenant, { bytes: elf, ...pretended })).toMatchObject({
          state: 'failed',
          error: { code: 'unsupported_type' },
        });
      }
      const word = await upload(tenant, { bytes: writeDocx(['The crane lifts.']), name: 'a.exe', type: 'image/png' });
      expect(word.state).toBe('succeeded');
      expect((await read(tenant, word)).mediaType).toMatch(/wordprocessingml/);
    }, 60_000);

    test('a file that is two things at once is taken for one, and served as neither', async () => {
      const tenant = freshTenant('polyglot');
      const script = '<script>alert(1)</script>';
      const polyglots: Upload[] = [
        { bytes: `GIF89a/*${script}*/=1;`, name: 'a.html', type: 'text/html' },
        { bytes: `%PDF-1.4\n${script}\n%%EOF`, name: 'a.html', type: 'text/html' },
        { bytes: `${script}\n%PDF-1.4`, name: 'a.pdf', type: 'application/pdf' },
        { bytes: Buffer.concat([Buffer.from(script), Buffer.from(writeDocx(['x']))]), name: 'a.docx' },
      ];
      for (const file of polyglots) {
        const job = await upload(tenant, file);
        const { headers } = await target().call(`/documents/${job.documentId}/content`, tenant);
        expect(headers.get('content-disposition')).toMatch(/^attachment/);
        expect(headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
        expect(headers.get('x-content-type-options')).toBe('nosniff');
        const { items = [] } = await target().json<{ items?: { text: string }[] }>(
          `/documents/${job.documentId}/chunks`,
          tenant,
        );
        for (const { text } of items) expect(text).not.toContain('<script>');
      }
    }, 60_000);

    test('no name or id leads out of the folder, or to a place of its own in it', async () => {
      const tenant = freshTenant('names');
      const mark = 'outside-7731';
      const names = [
        `../../../../${mark}`,
        `..\\..\\${mark}`,
        `/tmp/${mark}`,
        `${mark}\u0000.txt`,
        `%2e%2e%2f${mark}`,
        `C:\\${mark}`,
      ];
      for (const name of names) {
        const job = await upload(tenant, { bytes: `A text called ${mark}.`, name, type: 'text/plain' });
        expect([name, job.state]).toEqual([name, 'succeeded']);
        expect((await read(tenant, job)).title).not.toMatch(/[/\\]|\p{Cc}/u);
      }
      for (const documentId of ['..', '.', '~', '...', 'a..b']) {
        const body = { source: { type: 'text', text: 'x' }, documentId };
        expect((await target().call('/ingest', tenant, { body })).status).toBe(202);
      }
      for (const documentId of ['../x', 'a/b', 'a\\b', '%2e%2e', 'a\u0000', '']) {
        const body = { source: { type: 'text', text: 'x' }, documentId };
        expect([documentId, (await target().call('/ingest', tenant, { body })).status]).toEqual([documentId, 400]);
      }
      const files = await readdir(join(target().dataDir, 'blobs'), { recursive: true });
      expect(files.length).toBeGreaterThan(10);
      expect(files.filter((file) => file.includes(mark) || file.includes(tenant))).toEqual([]);
      const folders = await Promise.all(
        [target().dataDir, join(target().dataDir, '..'), '/tmp', '/'].map((at) => readdir(at)),
      );
      expect(folders.flat().filter((file) => file.includes(mark))).toEqual([]);
    }, 60_000);

    test('what unpacks to far more than it is, or names what is outside of it, is refused and read nowhere', async () => {
      const tenant = freshTenant('bombs');
      const bomb = writeDocx(['x'.repeat(210_000_000)]);
      expect(bomb.length).toBeLessThan(2_000_000);
      expect(await upload(tenant, { bytes: bomb, name: 'bomb.docx' })).toMatchObject({
        state: 'failed',
        error: { code: 'limits_exceeded' },
      });
      const page = `<html><body><p>Seen.</p><img src="http://${target().inside.host}/a.png">
        <iframe src="file:///etc/passwd"></iframe><link rel=stylesheet href="http://${target().inside.host}/a.css"></body></html>`;
      const job = await upload(tenant, { bytes: page, name: 'page.html' });
      const text = await (await target().call(`/documents/${job.documentId}/text`, tenant)).text();
      expect(text).toContain('Seen.');
      expect(text).not.toContain('root:');
      expect(target().inside.asked).toEqual([]);
    }, 120_000);
  });
}
