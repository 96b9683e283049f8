import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { startRedisCluster } from '@semantic-memory/adapters/redis/testing/redis-cluster';
import { eventually, waitForEnd } from '../job-end.ts';
import { type Service, startService } from '../service.ts';

// A cluster of six and a whole service are started, beside whatever else the machine does.
jest.setTimeout(120_000);

const cluster = await startRedisCluster();

if ('missing' in cluster) {
  process.stderr.write(`skipped: tool missing: ${cluster.missing}\n`);
  test.skip(`skipped: tool missing: ${cluster.missing}`, () => {});
} else {
  let service: Service;
  beforeAll(async () => {
    service = await startService({ env: { REDIS_URL: cluster.url, EMBED_PROCESSES: '1', OCR_PROCESSES: '1' } });
  });
  afterAll(async () => {
    await service?.stop();
    await cluster.stop();
  });

  const ingest = (documentId: string, text: string) => service.client.ingestText(text, { documentId });
  const found = async (query: string) =>
    (await service.client.search({ query, topK: 1 })).hits.map(({ documentId }) => documentId);

  test('the service runs on a cluster, and goes on when the node with its keys is killed', async () => {
    const pines = await ingest('pines', 'Pines keep their needles through the winter.');
    expect((await waitForEnd(service, pines.id)).state).toBe('succeeded');
    expect(await found('needles in winter')).toEqual(['pines']);

    const owner = await cluster.ownerOf('{semantic-memory}');
    process.kill(owner.pid, 'SIGKILL');
    // As with any outage: what is asked meanwhile is refused, and asked again.
    const maples = await eventually(
      () => ingest('maples', 'Maples turn red in autumn.').catch(() => undefined),
      60_000,
    );
    expect((await waitForEnd(service, maples.id, 60_000)).state).toBe('succeeded');
    expect((await cluster.ownerOf('{semantic-memory}')).port).not.toBe(owner.port);
    expect(await found('needles in winter')).toEqual(['pines']);
    expect(await found('red in autumn')).toEqual(['maples']);

    await service.client.delete('pines');
    expect(await found('needles in winter')).not.toContain('pines');
  });
}
