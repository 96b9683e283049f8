import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createS3BlobStore } from '@semantic-memory/adapters/s3/blob-store';
import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import { silentLogger } from '@semantic-memory/shared/testing/in-memory-flow';
import { startTestS3Server } from '@semantic-memory/shared/testing/s3-server';
import { waitForEnd } from '../job-end.ts';
import { type Service, startService } from '../service.ts';
import { openTcpGate, type TcpGate } from '../tcp-gate.ts';

const samples = new URL('../../../../memory/data-repo/sample-docs/', import.meta.url);
const server = await startTestS3Server();

if ('missing' in server) {
  process.stderr.write(`skipped: tool missing: ${server.missing}\n`);
  test.skip(`skipped: tool missing: ${server.missing}`, () => {});
} else {
  const { settings } = server;
  const prefix = 'team/';
  const bucket = createS3BlobStore({ ...settings, prefix }, { logger: silentLogger });
  const keys = async () => {
    const found: string[] = [];
    for await (const key of bucket.list('')) found.push(key);
    return found;
  };
  let gate: TcpGate;
  let service: Service;

  beforeAll(async () => {
    const { hostname, port } = new URL(settings.endpoint);
    gate = await openTcpGate({ host: hostname, port: Number(port) });
    service = await startService({
      env: {
        S3_BUCKET: settings.bucket,
        S3_PREFIX: prefix,
        S3_ENDPOINT: `http://127.0.0.1:${gate.port}`,
        S3_ACCESS_KEY_ID: settings.credentials.accessKeyId,
        S3_SECRET_ACCESS_KEY: settings.credentials.secretAccessKey,
      },
    });
  }, 120_000);

  afterAll(async () => {
    await service?.stop();
    await gate?.shut();
    await bucket.close();
    await server.stop();
  }, 60_000);

  test('a scanned page is kept in the bucket, read, found, given back as it was, and gone after its delete', async () => {
    const content = await readFile(new URL('permit-letter-scanned.pdf', samples));
    const job = await service.client.ingestFile(
      { blob: new Blob([content]), filename: 'permit.pdf' },
      { documentId: 'permit' },
    );
    expect(await waitForEnd(service, job.id, 120_000)).toMatchObject({ state: 'succeeded' });
    const { hits } = await service.client.search({ query: 'permit letter' });
    expect(hits[0]).toMatchObject({ documentId: 'permit' });
    const answer = await fetch(`${service.url}${apiPrefix}/documents/permit/content`, {
      headers: { authorization: `Bearer ${service.token}` },
    });
    expect(Buffer.from(await answer.arrayBuffer()).equals(content)).toBe(true);
    expect((await keys()).length).toBeGreaterThan(4);
    expect(existsSync(join(service.dataDir, 'blobs'))).toBe(false);

    const receipt = await service.client.delete('permit');
    expect(receipt).toMatchObject({ verifiedAbsent: true });
    expect(receipt.removed.blobs).toBeGreaterThan(4);
    // What stays tells that there was a document, and nothing of it.
    expect((await keys()).filter((key) => !/(^|\/)(tombstones|idempotency)\//.test(key))).toEqual([]);
  }, 180_000);

  test('while the bucket is away nothing is accepted, and once it is back the same processes go on', async () => {
    const open = await service.client.ingestText('The ferry leaves at nine. '.repeat(2_000), { documentId: 'ferry' });
    await gate.shut();
    const refused = await fetch(`${service.url}${apiPrefix}/ingest`, {
      method: 'POST',
      headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ documentId: 'lost', source: { type: 'text', text: 'never accepted' } }),
    });
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ error: { code: 'dependency_unavailable' } });
    expect((await fetch(`${service.url}/health/ready`)).status).toBe(503);
    await gate.open();
    expect(await waitForEnd(service, open.id, 60_000)).toMatchObject({ state: 'succeeded' });
    await expect(service.client.document('lost')).rejects.toMatchObject({ status: 404 });
    const next = await service.client.ingestText('The museum opens at ten.', { documentId: 'museum' });
    expect(await waitForEnd(service, next.id)).toMatchObject({ state: 'succeeded' });
  }, 120_000);

  test('no log of any process holds the secret of the bucket', async () => {
    const logs = join(service.dataDir, 'logs');
    const texts = await Promise.all((await readdir(logs)).map((name) => readFile(join(logs, name), 'utf8')));
    expect(texts.join('').length).toBeGreaterThan(0);
    expect([...texts, ...service.output].join('')).not.toContain(settings.credentials.secretAccessKey);
  });
}
