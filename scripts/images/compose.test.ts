import { access, readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from '@jest/globals';
import { tiers } from '@semantic-memory/shared/contracts/jobs';
import { parse } from 'yaml';
import { runCommand } from '../local/run-command.ts';

interface Service {
  readonly image: string;
  readonly build?: { readonly dockerfile: string };
  readonly profiles?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, unknown>> | readonly string[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = async (path: string) => parse(await readFile(`${root}/${path}`, 'utf8'), { merge: true });
let services: Record<string, Service>;
let volumes: Record<string, unknown>;

beforeAll(async () => {
  ({ services, volumes } = await read('docker-compose.yml'));
});

const own = () => Object.entries(services).filter(([, { build }]) => build !== undefined);

test('every tier has a service, and all of ours are hardened and watched', async () => {
  expect(own().map(([name]) => name)).toEqual(['api', ...tiers.map((tier) => `worker-${tier}`)]);
  for (const tier of tiers) expect(services[`worker-${tier}`]?.environment?.TIERS).toBe(tier);
  for (const [name, service] of own()) {
    expect([name, service.read_only, service.cap_drop]).toEqual([name, true, ['ALL']]);
    expect(service.healthcheck?.test[0]).toBe('CMD');
    await access(`${root}/${service.build?.dockerfile}`);
  }
});

test('buckets that tenants may read are known to who asks and who fetches, and only who fetches has their key', () => {
  const having = (name: string) =>
    own().flatMap(([service, { environment }]) => (name in (environment ?? {}) ? service : []));
  expect(having('SOURCE_S3_BUCKETS')).toEqual(['api', 'worker-fetch']);
  for (const name of ['ENDPOINT', 'ACCESS_KEY_ID', 'SECRET_ACCESS_KEY']) {
    expect([name, having(`SOURCE_S3_${name}`)]).toEqual([name, ['worker-fetch']]);
  }
});

test('what is named is there: services, volumes, files; images have versions, ports are of this machine only', async () => {
  for (const [name, service] of Object.entries(services)) {
    expect([name, service.image]).toEqual([name, expect.stringMatching(/:v?\d+\.\d+\.\d+/)]);
    const needed = Array.isArray(service.depends_on) ? service.depends_on : Object.keys(service.depends_on ?? {});
    for (const other of needed) expect([name, Object.keys(services)]).toEqual([name, expect.arrayContaining([other])]);
    for (const volume of service.volumes ?? []) {
      const [from = ''] = volume.split(':');
      if (from.startsWith('.')) await access(`${root}/${from}`);
      else expect([name, Object.keys(volumes)]).toEqual([name, expect.arrayContaining([from])]);
    }
    for (const port of service.ports ?? [])
      expect([name, port]).toEqual([name, expect.stringMatching(/^127\.0\.0\.1:/)]);
  }
});

test('without a profile there is the service alone, and with observability what watches all of it', async () => {
  const watching = Object.keys(services).filter((name) => services[name]?.profiles?.includes('observability'));
  expect(watching).toEqual(['prometheus', 'grafana', 'otel-collector']);
  const dashboards = (await readdir(`${root}/docs/dashboards`)).filter(
    (name) => /\.json$/.test(name) && name !== 'schema.json',
  );
  const mounted = services.grafana?.volumes?.map((volume) => /^\.\/docs\/dashboards\/([^:]+):/.exec(volume)?.[1]);
  expect(mounted?.filter((name) => name !== undefined)).toEqual(dashboards.sort());
  const { scrape_configs: jobs } = await read('deploy/compose/prometheus.yml');
  expect(jobs[0].static_configs[0].targets).toEqual(own().map(([name]) => `${name}:9464`));
});

// The first run builds what reads it, where there is no docker compose.
test('docker compose takes the file, without a profile and with each', async () => {
  const { ok, output } = await runCommand(`${root}/scripts/check-compose.sh`, []);
  if (output.includes('skipped: tool missing')) console.warn(output);
  else {
    expect({ ok, output }).toEqual({ ok: true, output: expect.stringContaining('valid without a profile') });
    expect(output).toContain('valid with profile observability');
  }
}, 600_000);
