import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from '@jest/globals';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { eventually } from '../../job-end.ts';
import { textsOfKey } from '../../texts-of-key.ts';
import { canary, freshTenant, type Target } from '../target.ts';

/** No secret and no content in logs, spans, metrics and the payloads of jobs, whatever happens to a request. */
export function canariesRow(target: () => Target): void {
  async function logText(): Promise<string> {
    const folder = join(target().dataDir, 'logs');
    const texts = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')));
    return [...texts, ...target().output.filter((line) => !line.startsWith('token: '))].join('\n');
  }

  /** What is sent to the queues while the test runs. By a socket: ioredis loses its place where much is going on. */
  async function watchQueues() {
    const socket = connect(await target().redisPort(), '127.0.0.1');
    const seen: string[] = [];
    const lines = createInterface({ input: socket });
    socket.write('MONITOR\r\n');
    await once(lines, 'line');
    lines.on('line', (line) => {
      if (line.includes(':ingest.')) seen.push(line);
    });
    return { text: () => seen.join('\n'), stop: () => socket.destroy() };
  }

  describe('canaries', () => {
    test('no content and no secret is in a log, a span, a metric or the payload of a job', async () => {
      const tenant = freshTenant('canaries');
      const client = target().clientOf(tenant);
      const queues = await watchQueues();
      const end = async ({ id }: Job) => (await target().ended(tenant, id)).state;
      try {
        const title = canary('title');
        const metadata = { note: canary('metadata') };
        const text = `The ${canary('text')} sings at dawn.`;
        const jobs = [
          await client.ingestText(text, { title, metadata }),
          await client.ingestFile(
            { blob: new Blob([`<p>${text}</p>`]), filename: `${canary('filename')}.html` },
            { metadata },
          ),
          await client.ingestFile({ blob: new Blob([`%PDF-1.7 ${text}`]), filename: `${canary('filename')}.pdf` }, {}),
        ];
        const urls = [
          `http://10.0.0.1/?key=${canary('url-key')}`,
          `http://${target().site.host}/to?http%3A%2F%2F${target().inside.host}%2F${canary('redirect')}`,
        ];
        for (const url of urls) {
          jobs.push(await target().json<Job>('/ingest', tenant, { body: { source: { type: 'url', url } } }));
        }
        const withPassword = { type: 'url', url: `http://user:${canary('password')}@${target().site.host}/` };
        expect((await target().call('/ingest', tenant, { body: { source: withPassword } })).status).toBe(400);
        const states = await Promise.all(jobs.map(end));
        expect(states).toEqual(['succeeded', 'succeeded', 'failed', 'failed', 'failed']);
        const { hits } = await client.search({ query: `${canary('query')} ${canary('text')}` });
        expect(hits.length).toBeGreaterThan(0);
        await client.search({ query: 'dawn', filter: { note: canary('filter') } });
        target().model.failNext({ on: 'chat', kind: 'status', status: 500 });
        await client.rag({ question: `What does the ${canary('text')} do? ${canary('question')}` });
        await client.rag({
          question: `Does the ${canary('text')} sing?`,
          history: [{ role: 'user', content: canary('history') }],
        });
        const json = { 'content-type': 'application/json' };
        await target().call('/search', tenant, { body: `{"query": ${canary('broken')}`, headers: json });
        await target().call('/ingest', tenant, { body: { source: { type: canary('kind') }, [canary('member')]: 1 } });
        await target().call(`/documents/${canary('document')}`, tenant);
        await target().call('/ingest', tenant, {
          body: { source: { type: 'text', text: 'x' }, callbackUrl: `http://10.0.0.1/${canary('callback')}` },
          headers: { 'idempotency-key': canary('key') },
        });
        await fetch(`${target().url}/${canary('path')}?q=${canary('parameter')}`, {
          headers: { authorization: `Bearer ${canary('token')}`, cookie: canary('cookie') },
        });
        await spansAreSent(tenant);
        const told = {
          logs: await logText(),
          spans: target().collector.text(),
          metrics: await (await fetch(target().metricsUrl)).text(),
          jobs: queues.text(),
        };
        for (const [where, words] of Object.entries(told)) {
          expect({ where, size: words.length > 1000 }).toEqual({ where, size: true });
          expect({ where, found: words.match(/.{0,200}canary-[\w-]+-7731.{0,100}/g) ?? [] }).toEqual({
            where,
            found: [],
          });
          for (const token of [target().token, target().tokenOf(tenant)]) {
            expect({ where, hasToken: words.includes(token.split('.')[2] ?? token) }).toEqual({
              where,
              hasToken: false,
            });
          }
        }
      } finally {
        queues.stop();
      }
    }, 180_000);

    /** A span of a later call was sent: all before it were. */
    async function spansAreSent(tenant: string): Promise<void> {
      const traceId = randomBytes(16).toString('hex');
      const traceparent = `00-${traceId}-${randomBytes(8).toString('hex')}-01`;
      await target().call('/search', tenant, { body: { query: canary('last') }, headers: { traceparent } });
      await eventually(async () =>
        target().collector.spans.some((span) => span.traceId === traceId && /^POST /.test(span.name)),
      );
    }

    test('no secret is in Redis, in the folder of the data, or in what anybody may ask', async () => {
      const redis = await target().redis();
      const keys = await redis.keys('*');
      expect(keys.length).toBeGreaterThan(10);
      // Not by DUMP, which compresses.
      const held = await Promise.all(keys.map(async (key) => [key, ...(await textsOfKey(redis, key))].join('\n')));
      const secretWords = /canary-(?:jwt|webhook|model-key|password)-7731/;
      expect(keys.filter((_, index) => secretWords.test(held[index] ?? ''))).toEqual([]);
      const files = (await readdir(join(target().dataDir), { recursive: true, withFileTypes: true })).filter((one) =>
        one.isFile(),
      );
      for (const file of files) {
        const path = join(file.parentPath, file.name);
        const text = await readFile(path, 'latin1').catch(emptyIfGone);
        expect([path, secretWords.test(text)]).toEqual([path, false]);
      }
    }, 60_000);
  });
}

/** Of a file that was removed since its folder was read. */
function emptyIfGone(error: NodeJS.ErrnoException): '' {
  if (error.code === 'ENOENT') return '';
  throw error;
}
