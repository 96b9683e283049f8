import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { eventually, waitForEnd } from '../job-end.ts';
import { readExposition } from '../observation/exposition.ts';
import { metricNames } from '../observation/metric-names.ts';
import { findPrometheus, startPrometheus } from '../observation/prometheus.ts';
import { processMetrics, publicMetrics } from '../observation/public-metrics.ts';
import { alertRules, panelQueries, readObservability } from '../observation/shipped-queries.ts';
import { type Service, startService } from '../service.ts';

// Everything is started here, beside whatever else the machine does.
jest.setTimeout(60_000);

/** What an operator sees of the whole service while users do a little of everything. */
let service: Service;

const scrape = async () => (await fetch(service.metricsUrl)).text();

beforeAll(async () => {
  service = await startService({ env: { EMBED_PROCESSES: '1', OCR_PROCESSES: '1' } });
  await useIt();
}, 180_000);

afterAll(async () => {
  await service?.stop();
}, 60_000);

/** Documents that end well and badly, searches of each mode, and questions. */
async function useIt(): Promise<void> {
  const { client } = service;
  const markdown = { documentId: 'harbour', mediaType: 'text/markdown' };
  const jobs = [
    await client.ingestText('# Harbour rules\n\nThe harbour opens at six in the morning.', markdown),
    await client.ingestFile({ blob: new Blob(['<p>The crane lifts forty tonnes.</p>']), filename: 'crane.html' }, {}),
    await client.ingestFile({ blob: new Blob(['%PDF-1.7\nbroken']), filename: 'broken.pdf' }, {}),
  ];
  const ended = await Promise.all(jobs.map((job) => waitForEnd(service, job.id, 60_000)));
  expect(ended.map(({ state }) => state)).toEqual(['succeeded', 'succeeded', 'failed']);
  for (const mode of ['hybrid', 'dense', 'lexical'] as const) await client.search({ query: 'when does it open', mode });
  for (let time = 1; time <= 2; time += 1) await client.rag({ question: 'When does the harbour open?' });
}

test('a scrape has every public metric with its type and its labels, and those of the processes', async () => {
  const scraped = readExposition(await scrape());
  for (const [name, { type, labels }] of Object.entries(publicMetrics)) {
    const metric = scraped.get(name);
    expect({ name, type: metric?.type, labels: [...(metric?.labels ?? [])].sort() }).toEqual({
      name,
      type,
      labels: [...labels].sort(),
    });
    expect(metric?.series).toBeGreaterThan(0);
    expect(metric?.help.length).toBeGreaterThan(10);
  }
  for (const name of processMetrics) expect(scraped.has(name)).toBe(true);
});

test('no label is a tenant, a document, a job, or a path as it was asked', async () => {
  const job = await service.client.job((await service.client.jobs({ limit: 1 })).items[0]?.id ?? '');
  const text = await scrape();
  for (const id of [job.id, job.documentId, 'harbour', 'demo']) expect(text).not.toContain(`"${id}"`);
  expect(text).toContain('route="/api/v1/memory/jobs/:jobId"');
  await fetch(`${service.url}/nobody-knows-this`);
  expect(await scrape()).not.toContain('nobody-knows-this');
});

test('what the caller asked wrongly, the document could not give and we failed at are kept apart', async () => {
  const refused = await fetch(`${service.url}/api/v1/memory/ingest`, { method: 'POST' });
  expect(refused.status).toBe(401);
  const text = await scrape();
  const sum = (pattern: RegExp) => [...text.matchAll(pattern)].reduce((total, [, value]) => total + Number(value), 0);
  expect(sum(/^ingest_requests_total\{[^}]*outcome="rejected"\} (\d+)/gm)).toBe(1);
  expect(sum(/^ingest_requests_total\{[^}]*outcome="failed"\} (\d+)/gm)).toBe(0);
  expect(sum(/^ingest_documents_total\{[^}]*outcome="rejected",reason="corrupt_document"\} (\d+)/gm)).toBe(1);
  expect(sum(/^ingest_documents_total\{[^}]*outcome="failed"[^}]*\} (\d+)/gm)).toBe(0);
  expect(sum(/^http_request_duration_seconds_count\{[^}]*status="4xx"\} (\d+)/gm)).toBeGreaterThan(0);
});

test('every metric that a panel or a rule names is in a scrape, and every metric and alert is explained', async () => {
  const [panels, rules, explained] = [await panelQueries(), await alertRules(), await readObservability()];
  const known = new Set([...readExposition(await scrape()).keys(), ...rules.recorded, 'up']);
  for (const { where, expr } of [...panels, ...rules.queries]) {
    const names = metricNames(expr);
    expect(names.length).toBeGreaterThan(0);
    expect({ where, unknown: names.filter((name) => !known.has(name)) }).toEqual({ where, unknown: [] });
  }
  for (const name of [...Object.keys(publicMetrics), ...rules.alerts]) expect(explained).toContain(name);
});

const prometheusCommand = await findPrometheus();
if (!prometheusCommand) console.warn('skipped: tool missing: prometheus. No query of a panel was evaluated.');

(prometheusCommand ? test : test.skip)(
  'a real Prometheus finds no fault in any query, every panel has data, and no alert fires on a service at rest',
  async () => {
    const [panels, rules] = [await panelQueries(), await alertRules()];
    const prometheus = await startPrometheus(prometheusCommand ?? '', new URL(service.metricsUrl).host, rules.files);
    try {
      // Rates need two scrapes.
      await eventually(async () => (await prometheus.series('count_over_time(up[1m]) >= 3')) > 0, 60_000);
      const now = ({ expr }: { expr: string }) => expr.replaceAll('$__rate_interval', '1m');
      for (const panel of panels) {
        const series = await prometheus.series(now(panel));
        expect({ where: panel.where, hasData: series > 0 }).toEqual({ where: panel.where, hasData: true });
      }
      for (const rule of rules.queries) await prometheus.series(now(rule));
      const { groups } = (await prometheus.ask('rules')) as {
        groups: { rules: { name: string; health: string; state?: string }[] }[];
      };
      const evaluated = groups.flatMap((group) => group.rules);
      expect(evaluated).toHaveLength(rules.queries.length);
      expect(evaluated.filter(({ health }) => health !== 'ok').map(({ name }) => name)).toEqual([]);
      expect(evaluated.filter(({ state }) => state === 'firing').map(({ name }) => name)).toEqual([]);
    } finally {
      await prometheus.stop();
    }
  },
  180_000,
);
