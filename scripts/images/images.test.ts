import { randomUUID } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createClient } from '@semantic-memory/client/client';
import { freePort } from '@semantic-memory/runtime/free-port';
import { demoToken } from '../local/kept-secret.ts';
import { smoke } from '../smoke/smoke.ts';
import { findImageEngine } from './find-image-engine.ts';
import type { App, Container, Image, ImageEngine } from './image-engine.ts';

const apps = ['api', 'worker'] as const;
const maxBytes: Record<App, number> = { api: 600e6, worker: 900e6 };
/** On a busy machine; two to four minutes where it is idle. */
const buildMs = 25 * 60_000;
// Each look into a container is a process of its own.
jest.setTimeout(120_000);
const photo = fileURLToPath(new URL('../../memory/data-repo/sample-docs/photo-evacuation-card.png', import.meta.url));

const openEngine = await findImageEngine(console.error);
const missing = typeof openEngine === 'string' ? openEngine : undefined;
if (missing) console.warn(`skipped: tool missing: ${missing}. The images were NOT built and NOT tested.`);

const secret = randomUUID() + randomUUID();
const token = demoToken(secret);
const closing: (() => Promise<unknown>)[] = [];
const images = {} as Record<App, Image>;
const containers = {} as Record<App, Container>;
let url: string;

(missing ? describe.skip : describe)('the images', () => {
  beforeAll(async () => {
    const engine = await (openEngine as () => Promise<ImageEngine>)();
    closing.push(() => engine.close());
    const queuePrefix = `images-${randomUUID()}`;
    for (const app of apps) {
      images[app] = await engine.build(app);
      const [port, metricsPort] = [await freePort(), await freePort()];
      containers[app] = await images[app].start({
        env: {
          PORT: String(port),
          METRICS_PORT: String(metricsPort),
          QUEUE_PREFIX: queuePrefix,
          REDIS_URL: process.env.TEST_REDIS_URL ?? '',
          CHROMA_HOST: process.env.TEST_CHROMA_HOST ?? '',
          CHROMA_PORT: process.env.TEST_CHROMA_PORT ?? '',
          JWT_SECRET: secret,
          DRAIN_MS: '0',
        },
        isReady: () => answersOk(app === 'api' ? `${port}/health/ready` : `${metricsPort}/health/started`),
        readyWithinMs: 120_000,
      });
      closing.unshift(() => containers[app].stop());
      if (app === 'api') url = `http://127.0.0.1:${port}`;
    }
  }, buildMs);
  afterAll(async () => {
    for (const close of closing) await close();
  });

  const everyApp = test.each(apps);
  /** What a script of the shell says in a container. */
  const say = async (app: App, script: string) => (await containers[app].exec(['sh', '-c', script])).output;

  everyApp('%s is no larger than promised', (app) => {
    expect(images[app].sizeBytes).toBeGreaterThan(100e6);
    expect(images[app].sizeBytes).toBeLessThan(maxBytes[app]);
  });

  test('what is sent to one and read by the other is found and quoted', async () => {
    const faults: unknown[] = [];
    const namespace = `images-${randomUUID()}`;
    const checks = await smoke({ url, token, namespace, onCheck: (check) => check.fault && faults.push(check) });
    expect({ checks: checks.length, faults }).toEqual({ checks: 6, faults: [] });
  });

  test('the model and the data of OCR are inside: a photo is read and found', async () => {
    const client = createClient({ baseUrl: url, token });
    const namespace = `images-${randomUUID()}`;
    const job = await client.ingestFile({ blob: await openAsBlob(photo), filename: 'card.png' }, { namespace });
    expect(await client.waitForJob(job.id)).toMatchObject({ state: 'succeeded' });
    const { hits, degraded } = await client.search({ query: 'what does a long steady tone mean?', namespace });
    expect({ text: hits[0]?.text, degraded }).toEqual({ text: expect.stringContaining('fire'), degraded: undefined });
  });

  everyApp('%s runs as a user that may nothing, and nothing of the image is its', async (app) => {
    expect(await say(app, 'id -u; id -g')).toBe('10001\n10001');
    const rights = await say(
      app,
      "grep -E '^(CapPrm|CapEff|CapBnd|NoNewPrivs):' /proc/self/status | tr -s '[:blank:]' ' '",
    );
    const none = '0'.repeat(16);
    expect(rights.split('\n').sort()).toEqual([
      `CapBnd: ${none}`,
      `CapEff: ${none}`,
      `CapPrm: ${none}`,
      'NoNewPrivs: 1',
    ]);
    expect(await say(app, 'find / -xdev -type f "(" -user 10001 -o -perm -0002 ")" 2>/dev/null || true')).toBe('');
    // What the service itself has written, as that user.
    expect(await say(app, 'find /data -mindepth 1 ! -user 10001; find /data -mindepth 1 | head -n 1')).toMatch(
      /^\/data\/\S+$/,
    );
  });

  everyApp('%s needs to write nowhere but in /data and /tmp: its root is read-only', async (app) => {
    for (const place of ['/app/x', '/etc/x', '/var/tmp/x'])
      expect(await say(app, `touch ${place}`)).toContain('Read-only');
    expect(await say(app, 'touch /data/x /tmp/x && rm /data/x /tmp/x')).toBe('');
  });

  everyApp('%s is healthy while it serves, and only then', async (app) => {
    const [kind, ...command] = images[app].config.Healthcheck.Test;
    expect(kind).toBe('CMD');
    expect(await containers[app].exec(command)).toEqual({ ok: true, output: '' });
    const elsewhere = ['env', `PORT=${await freePort()}`, `METRICS_PORT=${await freePort()}`];
    expect(await containers[app].exec([...elsewhere, ...command])).toMatchObject({ ok: false });
  });

  everyApp('%s has what scanners list, and no sources of ours', async (app) => {
    expect(await say(app, 'ls /app/package.json /app/pnpm-lock.yaml')).toBe('/app/package.json\n/app/pnpm-lock.yaml');
    expect(await say(app, "find /app -path '*@semantic-memory*' -name '*.ts' | head")).toBe('');
  });

  test('only the worker has git and the data of OCR', async () => {
    expect(await say('worker', 'git --version')).toContain('git version');
    expect(await say('api', 'git --version')).toContain('not found');
    const data = "find /app -name 'eng.traineddata*' | wc -l";
    expect([await say('worker', data), await say('api', data)]).toEqual([expect.stringMatching(/^[1-9]/), '0']);
  });

  everyApp(
    '%s ends in order when it is told to',
    async (app) => {
      expect(await containers[app].stop()).toBe(0);
    },
    60_000,
  );
});

async function answersOk(address: string): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${address}`).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.ok ?? false;
}
