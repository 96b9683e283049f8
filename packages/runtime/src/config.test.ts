import { isAbsolute, join, resolve } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { ConfigError, configVariables, readConfig, readConfigOrExit } from './config.ts';
import { renderEnvExample } from './env-example.ts';

const secret = 'a-secret-of-at-least-thirty-two-characters';

test('an empty environment gives the defaults, with absolute paths', () => {
  const config = readConfig({});
  expect(config).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
    metricsPort: 9464,
    redisUrl: 'redis://127.0.0.1:6379',
    chromaSsl: false,
    embeddingProvider: 'local',
    embeddingModel: 'bge-small-en-v1.5-int8',
    corsOrigins: [],
    cache: { url: 'redis://127.0.0.1:6379', freshMs: 300_000, graceMs: 600_000 },
    maxFileBytes: 104_857_600,
    tiers: ['fetch', 'parse', 'ocr', 'embed', 'index', 'maintenance'],
  });
  expect(isAbsolute(config.dataDir)).toBe(true);
  expect(config.blobDir).toBe(join(config.dataDir, 'blobs'));
});

test('all faults are listed at once, without the values', () => {
  const env = {
    PORT: 'http',
    REDIS_URL: 'localhost:6379',
    JWT_SECRET: 'too-short-secret',
    TIERS: 'parse,brew',
    EMBEDDING_PROVIDER: 'openai',
  };
  expect(() => readConfig(env, { auth: true })).toThrow(ConfigError);
  const faults = faultsOf(() => readConfig(env, { auth: true }));
  expect(faults.map((fault) => fault.split(' ')[0]).sort()).toEqual([
    'JWT_SECRET',
    'OPENAI_API_KEY',
    'PORT',
    'REDIS_URL',
    'TIERS',
  ]);
  expect(faults.join()).not.toContain('too-short-secret');
});

test('the cache is in the Redis of the ledger unless it has its own, and can be turned off', () => {
  const redis = { REDIS_URL: 'redis://ledger:6379' };
  expect(readConfig(redis).cache?.url).toBe('redis://ledger:6379');
  expect(readConfig({ ...redis, CACHE_REDIS_URL: 'rediss://cache:6379' }).cache?.url).toBe('rediss://cache:6379');
  expect(readConfig({ CACHE: 'off' }).cache).toBeUndefined();
  expect(faultsOf(() => readConfig({ CACHE: 'of', CACHE_TTL_MS: 'long' })).map((fault) => fault.split(' ')[0])).toEqual(
    ['CACHE', 'CACHE_TTL_MS'],
  );
});

test('a process that checks tokens needs a secret or a key set, others do not', () => {
  expect(faultsOf(() => readConfig({}, { auth: true }))[0]).toMatch(/^JWT_SECRET is not set/);
  expect(readConfig({ JWT_SECRET: secret }, { auth: true }).jwtSecret).toBe(secret);
  expect(readConfig({ JWKS_URL: 'https://keys.example.com/jwks' }, { auth: true }).jwtSecret).toBeUndefined();
  expect(readConfig({}).jwtSecret).toBeUndefined();
});

test('an empty variable counts as unset, and lists are split', () => {
  const config = readConfig({ PORT: '', APP_CORS_ORIGINS: 'https://a.example, https://b.example', TIERS: 'ocr' });
  expect(config.port).toBe(8080);
  expect(config.corsOrigins).toEqual(['https://a.example', 'https://b.example']);
  expect(config.tiers).toEqual(['ocr']);
});

test('a bucket is the blob store where it is named, and its secret is never shown', () => {
  expect(readConfig({}).s3).toBeUndefined();
  const env = { S3_BUCKET: 'memory', S3_ACCESS_KEY_ID: 'an-id', S3_SECRET_ACCESS_KEY: 'the-secret', S3_PREFIX: 'team' };
  expect(readConfig(env).s3).toEqual({
    bucket: 'memory',
    prefix: 'team/',
    region: 'us-east-1',
    endpoint: undefined,
    forcePathStyle: false,
    credentials: { accessKeyId: 'an-id', secretAccessKey: 'the-secret' },
  });
  expect(readConfig({ ...env, S3_ENDPOINT: 'http://s3.example:9000' }).s3?.forcePathStyle).toBe(true);
  expect(readConfig({ S3_BUCKET: 'memory' }).s3?.credentials).toBeUndefined();
  expect(readConfig({ ...env, BLOB_STORE: 'directory' }).s3).toBeUndefined();
  expect(faultsOf(() => readConfig({ BLOB_STORE: 's3' }))[0]).toMatch(/^S3_BUCKET is not set/);
  const half = { S3_BUCKET: 'memory', S3_SECRET_ACCESS_KEY: 'the-secret', MAX_FILE_BYTES: String(2 ** 33) };
  const faults = faultsOf(() => readConfig(half));
  expect(faults.map((fault) => fault.split(' ')[0])).toEqual(['S3_ACCESS_KEY_ID', 'MAX_FILE_BYTES']);
  expect(faults.join()).not.toContain('the-secret');
  const other = { S3_BUCKET: 'memory', S3_ACCESS_KEY_ID: 'an-id' };
  expect(faultsOf(() => readConfig(other))[0]).toMatch(/^S3_SECRET_ACCESS_KEY is not set/);
});

test('buckets that tenants may read are a list, with a server and a key of their own', () => {
  expect(readConfig({}).sourceS3).toEqual({
    allowed: [],
    region: 'us-east-1',
    endpoint: undefined,
    forcePathStyle: false,
    credentials: undefined,
    maxObjects: 10_000,
    maxBytes: 10 * 2 ** 30,
  });
  const env = {
    SOURCE_S3_BUCKETS: 'acme:reports, *:shared/public,the:other:docs/a/b/',
    SOURCE_S3_ENDPOINT: 'http://s3.example:9000',
    SOURCE_S3_ACCESS_KEY_ID: 'an-id',
    SOURCE_S3_SECRET_ACCESS_KEY: 'the-secret',
  };
  expect(readConfig(env).sourceS3).toMatchObject({
    allowed: [
      { tenant: 'acme', bucket: 'reports', prefix: '' },
      { tenant: '*', bucket: 'shared', prefix: 'public/' },
      { tenant: 'the:other', bucket: 'docs', prefix: 'a/b/' },
    ],
    forcePathStyle: true,
    credentials: { accessKeyId: 'an-id', secretAccessKey: 'the-secret' },
  });
  expect(readConfig({ ...env, SOURCE_S3_FORCE_PATH_STYLE: 'false' }).sourceS3.forcePathStyle).toBe(false);
  for (const wrong of [
    'reports',
    ':reports',
    'acme:',
    'acme:*',
    'acme:a/b:c',
    'acme:reports/../x',
    'a:x,b',
    '*:re ports',
  ]) {
    const faults = faultsOf(() => readConfig({ SOURCE_S3_BUCKETS: wrong, S3_BUCKET: 'memory' }));
    expect([wrong, faults]).toEqual([wrong, [expect.stringMatching(/^SOURCE_S3_BUCKETS is not a list of/)]]);
  }
  const half = faultsOf(() => readConfig({ SOURCE_S3_SECRET_ACCESS_KEY: 'the-secret' }));
  expect(half).toEqual([expect.stringMatching(/^SOURCE_S3_ACCESS_KEY_ID is not set/)]);
  expect(half.join()).not.toContain('the-secret');
});

test('the bucket of the blob store cannot be read as a source, by whatever address', () => {
  const env = { S3_BUCKET: 'memory', SOURCE_S3_ENDPOINT: 'https://elsewhere.example' };
  for (const rule of ['acme:memory', '*:Memory/public/']) {
    const faults = faultsOf(() => readConfig({ ...env, SOURCE_S3_BUCKETS: `acme:reports,${rule}` }));
    expect(faults).toEqual([expect.stringContaining('the bucket of the blob store')]);
  }
  expect(readConfig({ ...env, SOURCE_S3_BUCKETS: 'acme:memory2' }).sourceS3.allowed).toHaveLength(1);
});

test('the blobs are beside the other data unless they have a directory of their own', () => {
  expect(readConfig({ DATA_DIR: '/data' }).blobDir).toBe('/data/blobs');
  expect(readConfig({ DATA_DIR: '/data', BLOB_DIR: 'elsewhere' }).blobDir).toBe(resolve('elsewhere'));
});

test('an endpoint of models needs a key or an address, and gets a key in any case', () => {
  expect(readConfig({}).openai).toBeUndefined();
  expect(readConfig({ OPENAI_API_KEY: 'k' }).openai).toEqual({ apiKey: 'k', baseUrl: undefined });
  const own = { OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1' };
  expect(readConfig(own).openai).toEqual({ apiKey: 'none', baseUrl: own.OPENAI_BASE_URL });
});

test('each quota is a limit of its own, by the minute or the day', () => {
  expect(readConfig({}).quotas).toBeUndefined();
  expect(readConfig({ QUOTA_PAGES_PER_DAY: '7' }).quotas).toEqual({ pages: { amount: 7, periodMs: 86_400_000 } });
  const perDay = { QUOTA_BYTES_PER_DAY: '2', QUOTA_PAGES_PER_DAY: '3', QUOTA_TOKENS_PER_DAY: '4' };
  expect(readConfig({ QUOTA_REQUESTS_PER_MINUTE: '1', ...perDay }).quotas).toEqual({
    requests: { amount: 1, periodMs: 60_000 },
    bytes: { amount: 2, periodMs: 86_400_000 },
    pages: { amount: 3, periodMs: 86_400_000 },
    tokens: { amount: 4, periodMs: 86_400_000 },
  });
});

test('a process that cannot be configured says why and ends with status 1; a fault of ours is not taken for that', () => {
  expect(readConfigOrExit({ PORT: '81' }).port).toBe(81);
  const written: unknown[] = [];
  const exit = jest.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
  const write = jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(text);
    return true;
  });
  try {
    expect(() => readConfigOrExit({ PORT: 'http' })).toThrow('exit 1');
    expect(written).toEqual([expect.stringContaining('  - PORT is not a whole number')]);
    const unreadable = Object.defineProperty({}, 'PORT', {
      get: () => {
        throw new TypeError('unreadable');
      },
    });
    expect(() => readConfigOrExit(unreadable)).toThrow(TypeError);
  } finally {
    exit.mockRestore();
    write.mockRestore();
  }
});

test('the example file names every variable once and its defaults are what an empty environment gives', () => {
  const example = renderEnvExample();
  const env: Record<string, string> = {};
  for (const [, name = '', value = ''] of example.matchAll(/^#([A-Z0-9_]+)=(.*)$/gm)) env[name] = value;
  expect(Object.keys(env).sort()).toEqual(
    Object.values(configVariables)
      .map((variable) => variable.name)
      .sort(),
  );
  expect(readConfig(env)).toEqual(readConfig({}));
});

test('the example file has variables of commands in a section of their own', () => {
  const example = renderEnvExample([{ name: 'RUNS', purpose: 'How often.', format: 'a number', default: '3' }]);
  expect(example).toContain('# ---- Commands\n\n# How often.\n# Format: a number. Default: 3. Optional.\n#RUNS=3\n');
  expect(renderEnvExample()).not.toContain('# ---- Commands');
});

function faultsOf(act: () => unknown): readonly string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

test('late interaction is on unless it is turned off, and an endpoint that reranks needs a model', () => {
  expect(readConfig({})).toMatchObject({ lateInteraction: true, reranker: undefined });
  expect(readConfig({ LATE_INTERACTION: 'off' }).lateInteraction).toBe(false);
  expect(() => readConfig({ LATE_INTERACTION: 'no' })).toThrow('LATE_INTERACTION is neither on nor off');
  const endpoint = { RERANK_BASE_URL: 'http://127.0.0.1:9/v1', RERANK_MODEL: 'r' };
  expect(readConfig(endpoint).reranker).toEqual({
    ...{ baseUrl: 'http://127.0.0.1:9/v1', model: 'r', apiKey: undefined, timeoutMs: 2000 },
  });
  expect(() => readConfig({ ...endpoint, RERANK_MODEL: '' })).toThrow('RERANK_MODEL is not set');
});

test('traces are sent where a collector is named, with its headers and the share that is kept', () => {
  expect(readConfig({}).tracing).toBeUndefined();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
  expect(readConfig(env).tracing).toEqual({ endpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT, headers: {}, sampleRatio: 1 });
  const more = { OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20b, x-team = c', OTEL_TRACES_SAMPLER_ARG: '0.25' };
  expect(readConfig({ ...env, ...more }).tracing).toMatchObject({
    headers: { 'x-key': 'a b', 'x-team': 'c' },
    sampleRatio: 0.25,
  });
  expect(() => readConfig({ OTEL_EXPORTER_OTLP_HEADERS: 'x-key=50%' })).toThrow('HEADERS is not percent-encoded');
  const wrong = { OTEL_EXPORTER_OTLP_HEADERS: 'no pair', OTEL_TRACES_SAMPLER_ARG: '2' };
  expect(() => readConfig(wrong)).toThrow(/OTEL_EXPORTER_OTLP_HEADERS.*OTEL_TRACES_SAMPLER_ARG/s);
});

test('thresholds of evidence are two cosines a model', () => {
  const read = (EVIDENCE_THRESHOLDS: string) => readConfig({ EVIDENCE_THRESHOLDS });
  expect(read('text-embedding-3-small=0.31/0.42, b=.2/.2').evidenceThresholds).toEqual({
    'text-embedding-3-small': { none: 0.31, weak: 0.42 },
    b: { none: 0.2, weak: 0.2 },
  });
  for (const malformed of ['model', 'model=0.3', 'model=0.5/0.4', 'model=0.5/1.4', '=0.1/0.2'])
    expect(() => read(malformed)).toThrow('EVIDENCE_THRESHOLDS');
});

test('in a cluster all keys have one hash tag', () => {
  expect(readConfig({ REDIS_URL: 'redis://ledger:6379' }).queuePrefix).toBe('semantic-memory');
  const cluster = 'rediss+cluster://user:secret@any-node:6379';
  expect(readConfig({ REDIS_URL: cluster, QUEUE_PREFIX: 'ours' }).queuePrefix).toBe('{ours}');
  expect(readConfig({ CACHE_REDIS_URL: cluster }).queuePrefix).toBe('{semantic-memory}');
  expect(() => readConfig({ REDIS_URL: 'cluster://any-node:6379' })).toThrow('REDIS_URL');
});
