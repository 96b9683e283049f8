import { join, resolve } from 'node:path';
import type { AllowedBucket } from '@semantic-memory/shared/ports/fetcher';
import type { QuotaLimits } from '@semantic-memory/shared/ports/quotas';
import type { z } from 'zod';
import type { Variable } from './config-variable.ts';
import { configVariables } from './config-variables.ts';

export { configVariables };

type Fields = {
  readonly [Field in keyof typeof configVariables]: (typeof configVariables)[Field] extends {
    readonly default: string;
    readonly schema: z.ZodType<infer Value>;
  }
    ? Value
    : (typeof configVariables)[Field] extends { readonly schema: z.ZodType<infer Value> }
      ? Value | undefined
      : never;
};

type S3Field = Extract<keyof Fields, `s3${string}`>;
type SourceField = Extract<keyof Fields, `sourceS3${string}`>;
type TraceField = 'otlpEndpoint' | 'otlpHeaders' | 'traceRatio';
type RerankField = Extract<keyof Fields, `rerank${string}`>;

export interface S3Config {
  readonly bucket: string;
  /** Empty, or ending with a slash. */
  readonly prefix: string;
  readonly region: string;
  readonly endpoint: string | undefined;
  readonly forcePathStyle: boolean;
  /** Where absent, the SDK looks for them itself. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** Buckets that documents are read from. */
export interface SourceS3Config extends Omit<S3Config, 'bucket' | 'prefix'> {
  readonly allowed: readonly AllowedBucket[];
  /** Of one prefix. */
  readonly maxObjects: number;
  readonly maxBytes: number;
}

/** What one CopyObject takes; a claimed upload is copied. */
const maxS3CopyBytes = 5 * 2 ** 30;

type CacheField = Extract<keyof Fields, `cache${string}`>;
type QuotaField = Extract<keyof Fields, `quota${string}`>;

export interface CacheConfig {
  readonly url: string;
  readonly localBytes: number;
  readonly sharedBytes: number;
  readonly freshMs: number;
  readonly embeddingFreshMs: number;
  readonly graceMs: number;
}

/** The environment as the code uses it. Paths are absolute; sizes are in bytes. */
export interface Config
  extends Omit<
    Fields,
    | 'blobDir'
    | 'blobStore'
    | S3Field
    | SourceField
    | CacheField
    | QuotaField
    | 'embeddingModel'
    | 'openaiApiKey'
    | 'openaiBaseUrl'
    | RerankField
    | TraceField
  > {
  readonly blobDir: string;
  /** Set where the blob store is a bucket. */
  readonly s3: S3Config | undefined;
  readonly sourceS3: SourceS3Config;
  /** Undefined where nothing is to be kept. */
  readonly cache: CacheConfig | undefined;
  /** What each tenant may use; undefined where nothing is limited. */
  readonly quotas: QuotaLimits | undefined;
  readonly embeddingModel: string;
  /** Set where an endpoint that speaks the OpenAI protocol is configured. */
  readonly openai: { readonly apiKey: string; readonly baseUrl: string | undefined } | undefined;
  /** Set where traces are wanted. */
  readonly tracing:
    | {
        readonly endpoint: string;
        readonly headers: Readonly<Record<string, string>>;
        readonly sampleRatio: number;
      }
    | undefined;
  /** Set where an endpoint reranks. */
  readonly reranker:
    | {
        readonly baseUrl: string;
        readonly model: string;
        readonly apiKey: string | undefined;
        readonly timeoutMs: number;
      }
    | undefined;
}

/** The environment cannot be used. The message lists every fault, one a line, and shows no values. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The configuration cannot be used:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
    this.faults = faults;
  }
}

const defaultModels = { local: 'bge-small-en-v1.5-int8', openai: 'text-embedding-3-small' } as const;

/**
 * Reads the environment; an empty variable counts as unset.
 * @param needs `auth`: the process checks tokens and cannot start without a key to check them with
 * @throws ConfigError with all faults at once
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  needs: { readonly auth?: boolean } = {},
): Config {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [field, variable] of Object.entries(configVariables) as [string, Variable<unknown>][]) {
    const raw = env[variable.name]?.trim() || variable.default;
    if (raw === undefined) continue;
    const parsed = variable.schema.safeParse(raw);
    if (parsed.success) values[field] = parsed.data;
    else faults.push(`${variable.name} ${parsed.error.issues[0]?.message} (expected: ${variable.format}).`);
  }
  const fields = values as unknown as Fields;
  if (needs.auth && !fields.jwksUrl && !env.JWT_SECRET?.trim())
    faults.push(`JWT_SECRET is not set (expected: ${configVariables.jwtSecret.format}), nor is JWKS_URL.`);
  if (fields.embeddingProvider === 'openai' && !fields.openaiApiKey && !fields.openaiBaseUrl)
    faults.push('OPENAI_API_KEY is not set, nor is OPENAI_BASE_URL, but EMBEDDING_PROVIDER is openai.');
  if (fields.rerankBaseUrl && !fields.rerankModel) faults.push('RERANK_MODEL is not set, but RERANK_BASE_URL is.');
  const { otlpEndpoint, otlpHeaders, traceRatio, ...untraced } = fields;
  const { openaiApiKey, openaiBaseUrl, rerankBaseUrl, rerankModel, rerankApiKey, rerankTimeoutMs, ...others } =
    untraced;
  const { sourceS3, rest: withS3 } = takeSourceS3(others, faults);
  const { s3, rest: withCache } = takeS3(withS3, faults);
  const { cache, rest: withQuotas } = takeCache(withCache);
  const { quotas, rest } = takeQuotas(withQuotas);
  if (faults.length > 0) throw new ConfigError(faults);
  const dataDir = resolve(fields.dataDir);
  return {
    ...rest,
    dataDir,
    s3,
    sourceS3,
    cache,
    quotas,
    queuePrefix: [fields.redisUrl, cache?.url].some(namesCluster) ? `{${fields.queuePrefix}}` : fields.queuePrefix,
    blobDir: fields.blobDir ? resolve(fields.blobDir) : join(dataDir, 'blobs'),
    embeddingModel: fields.embeddingModel ?? defaultModels[fields.embeddingProvider],
    // An endpoint on one's own machine often wants no key, but the protocol wants the header.
    openai:
      openaiApiKey === undefined && openaiBaseUrl === undefined
        ? undefined
        : { apiKey: openaiApiKey ?? 'none', baseUrl: openaiBaseUrl },
    tracing: otlpEndpoint ? { endpoint: otlpEndpoint, headers: otlpHeaders, sampleRatio: traceRatio } : undefined,
    reranker:
      rerankBaseUrl && rerankModel
        ? { baseUrl: rerankBaseUrl, model: rerankModel, apiKey: rerankApiKey, timeoutMs: rerankTimeoutMs }
        : undefined,
  };
}

/** In a cluster all keys have one hash tag, since scripts change many of them in one step. */
const namesCluster = (url: string | undefined): boolean => /^rediss?\+cluster:/.test(url ?? '');

/** The settings of the bucket where the blob store is one, and the fields that are left. Adds to `faults`. */
function takeS3<Others extends Pick<Fields, S3Field | 'blobStore' | 'maxFileBytes' | 'maxImportBytes'>>(
  fields: Others,
  faults: string[],
) {
  const {
    blobStore,
    s3Bucket,
    s3Prefix = '',
    s3Endpoint,
    s3Region,
    s3AccessKeyId,
    s3SecretAccessKey,
    s3ForcePathStyle,
    ...rest
  } = fields;
  if (blobStore === 's3' && !s3Bucket) faults.push('S3_BUCKET is not set, but BLOB_STORE is s3.');
  if ((blobStore ?? 's3') !== 's3' || !s3Bucket) return { s3: undefined, rest };
  const credentials = takeKey('S3', s3AccessKeyId, s3SecretAccessKey, faults);
  for (const [name, bytes] of [
    ['MAX_FILE_BYTES', fields.maxFileBytes],
    ['MAX_IMPORT_BYTES', fields.maxImportBytes],
  ] as const) {
    if (bytes > maxS3CopyBytes)
      faults.push(`${name} is more than the ${maxS3CopyBytes} bytes that one object of S3 may be copied with.`);
  }
  const s3: S3Config = {
    bucket: s3Bucket,
    prefix: s3Prefix === '' || s3Prefix.endsWith('/') ? s3Prefix : `${s3Prefix}/`,
    region: s3Region,
    endpoint: s3Endpoint,
    forcePathStyle: s3ForcePathStyle ?? s3Endpoint !== undefined,
    credentials,
  };
  return { s3, rest };
}

/** Both halves of a key, or neither. Adds to `faults`. */
function takeKey(
  prefix: 'S3' | 'SOURCE_S3',
  accessKeyId: string | undefined,
  secretAccessKey: string | undefined,
  faults: string[],
): S3Config['credentials'] {
  if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey };
  if (accessKeyId || secretAccessKey) {
    const missing = accessKeyId ? 'SECRET_ACCESS_KEY' : 'ACCESS_KEY_ID';
    faults.push(`${prefix}_${missing} is not set, but the other half of the key is.`);
  }
  return undefined;
}

/** The settings of the buckets that are read from, and the fields that are left. Adds to `faults`. */
function takeSourceS3<Others extends Pick<Fields, SourceField | 's3Bucket'>>(fields: Others, faults: string[]) {
  const {
    sourceS3Buckets: allowed,
    sourceS3Endpoint: endpoint,
    sourceS3Region: region,
    sourceS3AccessKeyId,
    sourceS3SecretAccessKey,
    sourceS3ForcePathStyle,
    sourceS3MaxObjects: maxObjects,
    sourceS3MaxBytes: maxBytes,
    ...rest
  } = fields;
  // By the name alone: one server has many addresses.
  const blobBucket = fields.s3Bucket?.toLowerCase();
  if (blobBucket && allowed?.some(({ bucket }) => bucket.toLowerCase() === blobBucket))
    faults.push("SOURCE_S3_BUCKETS names the bucket of the blob store, which holds every tenant's documents.");
  const sourceS3: SourceS3Config = {
    allowed,
    region,
    endpoint,
    forcePathStyle: sourceS3ForcePathStyle ?? endpoint !== undefined,
    credentials: takeKey('SOURCE_S3', sourceS3AccessKeyId, sourceS3SecretAccessKey, faults),
    maxObjects,
    maxBytes,
  };
  return { sourceS3, rest };
}

/** The settings of the cache where there is one, and the fields that are left. */
function takeCache<Others extends Pick<Fields, CacheField | 'redisUrl'>>(fields: Others) {
  const { cache, cacheRedisUrl, cacheL1Bytes, cacheL2Bytes, cacheTtlMs, cacheEmbeddingTtlMs, cacheGraceMs, ...rest } =
    fields;
  if (cache === 'off') return { cache: undefined, rest };
  const times = { freshMs: cacheTtlMs, embeddingFreshMs: cacheEmbeddingTtlMs, graceMs: cacheGraceMs };
  const url = cacheRedisUrl ?? fields.redisUrl;
  return { cache: { url, localBytes: cacheL1Bytes, sharedBytes: cacheL2Bytes, ...times }, rest };
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** The quotas that are set, and the fields that are left. */
function takeQuotas<Others extends Pick<Fields, QuotaField>>(fields: Others) {
  const { quotaRequests, quotaBytes, quotaPages, quotaTokens, ...rest } = fields;
  const quotas = {
    ...(quotaRequests ? { requests: { amount: quotaRequests, periodMs: minuteMs } } : {}),
    ...(quotaBytes ? { bytes: { amount: quotaBytes, periodMs: dayMs } } : {}),
    ...(quotaPages ? { pages: { amount: quotaPages, periodMs: dayMs } } : {}),
    ...(quotaTokens ? { tokens: { amount: quotaTokens, periodMs: dayMs } } : {}),
  };
  return { quotas: Object.keys(quotas).length > 0 ? quotas : undefined, rest };
}

/** As `readConfig`, for a process that cannot run without: says what is wrong and ends with status 1. */
export function readConfigOrExit(...args: Parameters<typeof readConfig>): Config {
  try {
    return readConfig(...args);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
