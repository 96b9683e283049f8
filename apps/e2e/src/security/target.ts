import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@semantic-memory/client/client';
import { freePort } from '@semantic-memory/runtime/free-port';
import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { type OpenaiServer, startOpenaiServer } from '@semantic-memory/shared/testing/openai-server';
import { Redis } from 'ioredis';
import { waitForEnd } from '../job-end.ts';
import { type Collector, startCollector } from '../observation/collector.ts';
import { type Service, startService } from '../service.ts';
import { type AttackerSite, startAttackerSite } from './attacker-site.ts';
import { makeKeys, signedShared } from './forge-token.ts';

/** What must never be told, each recognised wherever it turns up. */
export const canary = (what: string) => `canary-${what}-7731-of-this-test-and-no-other`;

export const secrets = {
  JWT_SECRET: canary('jwt'),
  WEBHOOK_SECRET: canary('webhook'),
  OPENAI_API_KEY: canary('model-key'),
};
export const audience = 'memory';
export const issuer = 'https://id.example.com';
export const allowedOrigin = 'https://app.example.com';
export const allScopes = 'memory:read memory:write memory:admin';
/** Of each tenant; far above what a row uses that is not about quotas. */
export const quotas = { requestsPerMinute: 600, bytesPerDay: 20_000_000, pagesPerDay: 30, tokensPerDay: 10_000 };

/** The whole service as an attacker meets it, with everything that it speaks to in the hands of the test. */
export interface Target extends Service {
  readonly model: OpenaiServer;
  readonly collector: Collector;
  /** May be fetched from. */
  readonly site: AttackerSite;
  /** May not be: where an attacker wants to get. */
  readonly inside: AttackerSite;
  /** May be fetched from: where a row serves repositories. */
  readonly gitPort: number;
  /** Keys of RS256 and ES256 tokens that the service takes. */
  readonly keys: { readonly rsa: ReturnType<typeof makeKeys>; readonly curve: ReturnType<typeof makeKeys> };
  /** The claims of a good token. */
  claims(tenant: string, more?: Readonly<Record<string, unknown>>): Record<string, unknown>;
  /** A good token of a tenant, with all scopes unless others are given. */
  tokenOf(tenant: string, scope?: string): string;
  clientOf(tenant: string): ReturnType<typeof createClient>;
  /** A request below the prefix of the API, as a tenant; a body that is an object is sent as JSON. */
  call(path: string, tenant: string, init?: CallInit): Promise<Response>;
  /** What such a request is answered with, in the shape that the test takes it to have. */
  json<Shape>(path: string, tenant: string, init?: CallInit): Promise<Shape>;
  /** Takes in a source as JSON or a form, which is accepted, and waits for its job to end. */
  ingested(tenant: string, body: object): Promise<Job>;
  ended(tenant: string, jobId: string): Promise<Job>;
  redisPort(): Promise<number>;
  redis(): Promise<Redis>;
}

type CallInit = Omit<RequestInit, 'body'> & { readonly body?: object | string };

let tenants = 0;
/** Of no other test. */
export const freshTenant = (name = 'tenant') => `${name}-${tenants++}-${randomBytes(4).toString('hex')}`;

export async function startTarget(): Promise<Target> {
  const keys = { rsa: makeKeys('RS256', 'rsa'), curve: makeKeys('ES256', 'curve') };
  const [collector, model, site, inside] = await Promise.all([
    startCollector(),
    startOpenaiServer(),
    startAttackerSite([keys.rsa.jwk, keys.curve.jwk]),
    startAttackerSite(),
  ]);
  const gitPort = await freePort();
  const resolver = fileURLToPath(new URL('./hostile-resolver.ts', import.meta.url));
  const service = await startService({
    env: {
      ...secrets,
      NODE_OPTIONS: `--import=${resolver}`,
      JWT_AUDIENCE: audience,
      JWT_ISSUER: issuer,
      JWKS_URL: `http://${site.host}/jwks.json`,
      APP_CORS_ORIGINS: allowedOrigin,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OPENAI_BASE_URL: model.url,
      LLM_MODEL: 'quoter',
      FETCH_ALLOW_HOSTS: `${site.host},127.0.0.1:${gitPort}`,
      QUOTA_REQUESTS_PER_MINUTE: String(quotas.requestsPerMinute),
      QUOTA_BYTES_PER_DAY: String(quotas.bytesPerDay),
      QUOTA_PAGES_PER_DAY: String(quotas.pagesPerDay),
      QUOTA_TOKENS_PER_DAY: String(quotas.tokensPerDay),
      LOG_LEVEL: 'debug',
      EMBED_PROCESSES: '1',
      OCR_PROCESSES: '1',
    },
  });
  const claims: Target['claims'] = (tenant, more = {}) => ({
    ...{ sub: 'attacker', tenant, scope: allScopes, aud: audience, iss: issuer },
    exp: Math.floor(Date.now() / 1000) + 3600,
    ...more,
  });
  const tokenOf: Target['tokenOf'] = (tenant, scope = allScopes) =>
    signedShared({ header: { alg: 'HS256', typ: 'JWT' }, claims: claims(tenant, { scope }) }, secrets.JWT_SECRET);
  const open: Redis[] = [];
  const redisPort = async (): Promise<number> =>
    JSON.parse(await readFile(join(service.dataDir, 'ports.json'), 'utf8')).redis;
  const clientOf: Target['clientOf'] = (tenant) => createClient({ baseUrl: service.url, token: tokenOf(tenant) });
  const call: Target['call'] = (path, tenant, { body, headers, ...init } = {}) => {
    const all = new Headers(headers);
    if (!all.has('authorization')) all.set('authorization', `Bearer ${tokenOf(tenant)}`);
    const isJson = typeof body === 'object' && !(body instanceof FormData);
    if (isJson) all.set('content-type', 'application/json');
    const sent = isJson ? JSON.stringify(body) : body;
    const method = body === undefined ? 'GET' : 'POST';
    return fetch(service.url + apiPrefix + path, { method, ...init, ...(sent ? { body: sent } : {}), headers: all });
  };
  const json: Target['json'] = async <Shape>(...args: Parameters<Target['call']>) =>
    (await (await call(...args)).json()) as Shape;
  const ended: Target['ended'] = (tenant, jobId) =>
    waitForEnd({ ...service, client: clientOf(tenant) }, jobId, 120_000);
  return {
    ...service,
    ...{ model, collector, site, inside, gitPort, keys, claims, tokenOf, clientOf, call, json, ended },
    async ingested(tenant, body) {
      const { id } = await json<Job>('/ingest', tenant, { body });
      return ended(tenant, id);
    },
    redisPort,
    async redis() {
      const redis = new Redis(await redisPort(), '127.0.0.1');
      open.push(redis);
      return redis;
    },
    async stop() {
      for (const redis of open) redis.disconnect();
      const status = await service.stop();
      await Promise.all([collector.close(), model.close(), site.close(), inside.close()]);
      return status;
    },
  };
}
