import { availableParallelism } from 'node:os';
import { tiers } from '@semantic-memory/shared/contracts/jobs';
import { z } from 'zod';
import {
  allowedBuckets,
  evidenceThresholds,
  flag,
  headerList,
  list,
  origins,
  redisUrl,
  share,
  text,
  tierList,
  url,
  usd,
  whole,
} from './config-formats.ts';
import { always, optional } from './config-variable.ts';

const megabyte = 1024 * 1024;
const cores = String(availableParallelism());
const quota = (name: string, format: string, purpose: string) =>
  optional(name, whole(1, 2 ** 50), { purpose, format, defaultDescription: 'none; not limited' });
const bytes = (name: string, fallback: number, purpose: string) =>
  always(name, String(fallback), whole(1, 2 ** 40), { purpose, format: 'bytes' });

/** Every variable that the API and the workers read, by the field of the configuration that it fills. */
export const configVariables = {
  host: always('HOST', '127.0.0.1', text, {
    purpose: 'Address that the API and the metrics listen on.',
    format: 'IP address or host name',
  }),
  port: always('PORT', '8080', whole(0, 65_535), { purpose: 'Port of the API.', format: 'port; 0 takes a free one' }),
  metricsPort: always('METRICS_PORT', '9464', whole(0, 65_535), {
    purpose: 'Port of the metrics; on workers of the health checks too.',
    format: 'port; 0 takes a free one',
  }),
  tiers: always('TIERS', tiers.join(','), tierList, {
    purpose: 'Which tiers a worker runs.',
    format: `list with commas of ${tiers.join(', ')}`,
  }),
  dataDir: always('DATA_DIR', '.data', text, {
    purpose: 'Directory for everything that this machine keeps.',
    format: 'path, absolute or from the working directory',
  }),
  blobDir: optional('BLOB_DIR', text, {
    purpose: 'Directory of the blob store: the truth, and what to back up.',
    format: 'path',
    defaultDescription: 'DATA_DIR/blobs',
  }),
  blobStore: optional('BLOB_STORE', z.enum(['directory', 's3'], 'is neither directory nor s3'), {
    purpose: 'Where the blob store is.',
    format: 'directory, or s3 for a bucket of Amazon S3 or of a server that speaks its protocol',
    defaultDescription: 's3 where S3_BUCKET is set, else directory',
  }),
  s3Bucket: optional('S3_BUCKET', text, {
    purpose: 'Bucket of the blob store, without versioning: an old version would outlive the delete of its document.',
    format: 'name',
    requiredWhen: 'BLOB_STORE is s3',
  }),
  s3Prefix: optional(
    'S3_PREFIX',
    z.string().regex(/^(?!\/)[\w./-]{0,100}$/, 'begins with a slash or has other characters'),
    {
      purpose: 'Begins every key, so that several installations can share a bucket.',
      format: 'up to 100 of A-Z a-z 0-9 _ . - /; a slash is added at its end',
      defaultDescription: 'none',
    },
  ),
  s3Endpoint: optional('S3_ENDPOINT', url(/^https?$/), {
    purpose: "Address of an S3 server other than Amazon's. It must obey If-None-Match on PutObject.",
    format: 'http(s) address',
  }),
  s3Region: always('S3_REGION', 'us-east-1', text, { purpose: 'Region of the bucket.', format: 'name' }),
  s3AccessKeyId: optional('S3_ACCESS_KEY_ID', text, {
    purpose: 'Key of the bucket: may read, write, delete and list.',
    format: 'text',
    defaultDescription: "what the AWS SDK finds: the environment, shared files, the pod's or machine's role",
  }),
  s3SecretAccessKey: optional('S3_SECRET_ACCESS_KEY', text, {
    purpose: 'Secret of that key.',
    format: 'text',
    requiredWhen: 'S3_ACCESS_KEY_ID is set',
  }),
  s3ForcePathStyle: optional('S3_FORCE_PATH_STYLE', flag, {
    purpose: 'Name the bucket in the path of the address and not in its host name.',
    format: 'true or false',
    defaultDescription: 'true where S3_ENDPOINT is set',
  }),
  redisUrl: always('REDIS_URL', 'redis://127.0.0.1:6379', redisUrl, {
    purpose: 'Redis or Valkey of queues and ledger. Must run with maxmemory-policy noeviction and AOF.',
    format:
      'redis://[user:password@]host:port[/database], rediss:// for TLS; redis+cluster:// or rediss+cluster:// and any node of a cluster',
    requiredInProduction: true,
  }),
  queuePrefix: always('QUEUE_PREFIX', 'semantic-memory', z.string().regex(/^[\w.-]{1,100}$/, 'has other characters'), {
    purpose: 'Begins every key in Redis, so that several installations can share a server.',
    format: '1 to 100 of A-Z a-z 0-9 _ . -',
  }),
  cache: always('CACHE', 'on', z.enum(['on', 'off'], 'is neither on nor off'), {
    purpose: 'Keep query embeddings, search results and answers for a while; the same for the API and the workers.',
    format: 'on or off',
    feature: true,
  }),
  cacheRedisUrl: optional('CACHE_REDIS_URL', redisUrl, {
    purpose:
      'Redis or Valkey of the cache. A server of its own may evict (maxmemory-policy allkeys-lru) and need not store.',
    format: 'as REDIS_URL',
    defaultDescription: 'REDIS_URL',
  }),
  cacheL1Bytes: bytes('CACHE_L1_BYTES', 64 * megabyte, 'Most bytes of the cache in the memory of one API process.'),
  cacheL2Bytes: bytes(
    'CACHE_L2_BYTES',
    128 * megabyte,
    'Most bytes that one API process has in the Redis of the cache.',
  ),
  cacheTtlMs: always('CACHE_TTL_MS', '300000', whole(100, 86_400_000), {
    purpose: 'How long a search result or an answer is given again while its namespace does not change.',
    format: 'milliseconds',
  }),
  cacheEmbeddingTtlMs: always('CACHE_EMBEDDING_TTL_MS', '3600000', whole(100, 86_400_000), {
    purpose: 'How long the embedding of a query is used again.',
    format: 'milliseconds',
  }),
  cacheGraceMs: always('CACHE_GRACE_MS', '600000', whole(0, 86_400_000), {
    purpose: 'How much longer what is still true is given, degraded, where it cannot be computed anew.',
    format: 'milliseconds',
  }),
  chromaHost: always('CHROMA_HOST', '127.0.0.1', text, {
    purpose: 'Host of Chroma.',
    format: 'host name',
    requiredInProduction: true,
  }),
  chromaPort: always('CHROMA_PORT', '8000', whole(1, 65_535), {
    purpose: 'Port of Chroma.',
    format: 'port',
    requiredInProduction: true,
  }),
  chromaSsl: always('CHROMA_SSL', 'false', flag, { purpose: 'Speak TLS to Chroma.', format: 'true or false' }),
  chromaApiKey: optional('CHROMA_API_KEY', text, {
    purpose: 'Key that Chroma Cloud, or a proxy before Chroma, asks for; sent as x-chroma-token.',
    format: 'text',
  }),
  chromaTenant: always('CHROMA_TENANT', 'default_tenant', text, {
    purpose: 'Tenant of Chroma in which everything is kept, whichever tenant of the service it belongs to.',
    format: 'text',
  }),
  chromaDatabase: always('CHROMA_DATABASE', 'default_database', text, {
    purpose: 'Its database; made where there is none.',
    format: 'text',
  }),
  jwtSecret: optional('JWT_SECRET', z.string().min(32, 'has fewer than 32 characters'), {
    purpose: 'Key of HS256 tokens.',
    format: 'at least 32 characters, random (RFC 7518 section 3.2)',
    requiredInProduction: true,
    requiredWhen: 'the API has no JWKS_URL',
  }),
  jwksUrl: optional('JWKS_URL', url(/^https?$/), {
    purpose: 'Key set of RS256 and ES256 tokens.',
    format: 'http(s) address',
  }),
  jwtAudience: optional('JWT_AUDIENCE', text, { purpose: 'Tokens must carry it as aud.', format: 'text' }),
  jwtIssuer: optional('JWT_ISSUER', text, { purpose: 'Tokens must carry it as iss.', format: 'text' }),
  corsOrigins: always('APP_CORS_ORIGINS', '', origins, {
    purpose: 'Web pages of these origins may call the API.',
    format: 'list with commas of origins such as https://app.example.com',
    requiredInProduction: true,
  }),
  embeddingProvider: always('EMBEDDING_PROVIDER', 'local', z.enum(['local', 'openai'], 'is neither local nor openai'), {
    purpose: 'Who embeds the texts of new namespaces.',
    format: 'local, or openai for any endpoint that speaks its protocol',
  }),
  embeddingModel: optional('EMBEDDING_MODEL', text, {
    purpose: 'Embedding model of new namespaces; an old one keeps its own.',
    format: 'name that the provider knows',
    defaultDescription: 'bge-small-en-v1.5-int8 for local, text-embedding-3-small for openai',
  }),
  embeddingPrice: optional('EMBEDDING_USD_PER_MILLION_TOKENS', usd, {
    purpose: 'What the embedding endpoint asks for, for the costs that dry runs estimate.',
    format: 'US dollars',
    defaultDescription: '0 with the local model; else not known',
  }),
  openaiApiKey: optional('OPENAI_API_KEY', text, {
    purpose: 'Key of the model endpoint.',
    format: 'text',
    requiredInProduction: true,
    requiredWhen: 'EMBEDDING_PROVIDER is openai and there is no OPENAI_BASE_URL',
  }),
  openaiBaseUrl: optional('OPENAI_BASE_URL', url(/^https?$/), {
    purpose: 'Model endpoint that speaks the OpenAI protocol.',
    format: 'http(s) address, ending with the version such as /v1',
  }),
  llmModel: optional('LLM_MODEL', text, {
    purpose: 'Model that writes answers; without it answers quote the documents.',
    format: 'name that the endpoint knows',
  }),
  llmInputTokens: always('LLM_INPUT_TOKENS', '8000', whole(1000, 1_000_000), {
    purpose:
      'How many tokens of passages (three quarters) and conversation (a quarter) LLM_MODEL is given, by an estimate.',
    format: 'tokens, well below what the model takes',
  }),
  evidenceThresholds: optional('EVIDENCE_THRESHOLDS', evidenceThresholds, {
    purpose:
      'For embedding models other than the default: the cosine of the best passage below which a question is refused without LLM_MODEL, and the one below which the evidence is called weak, as make eval measures them.',
    format: 'list with commas of model=none/weak such as text-embedding-3-small=0.31/0.42',
    defaultDescription: 'none; of other models nothing is refused, and all evidence is weak',
  }),
  modelTimeoutMs: always('MODEL_TIMEOUT_MS', '30000', whole(100, 3_600_000), {
    purpose: 'Longest that the model endpoint may take over an answer, or for its next word.',
    format: 'milliseconds',
  }),
  lateInteraction: always(
    'LATE_INTERACTION',
    'on',
    z.enum(['on', 'off'], 'is neither on nor off').transform((value) => value === 'on'),
    {
      purpose:
        'Keep vectors of tokens (136 bytes a token) and rank the best hits by them; for the local embedding model.',
      format: 'on or off',
      feature: true,
    },
  ),
  tokenVectorCacheBytes: bytes(
    'TOKEN_VECTOR_CACHE_BYTES',
    256 * megabyte,
    'Memory of the API for vectors of tokens that were read.',
  ),
  chunkCacheBytes: bytes(
    'CHUNK_CACHE_BYTES',
    64 * megabyte,
    'Memory of the API for chunks that searches have read, some 4 kB each.',
  ),
  rerankBaseUrl: optional('RERANK_BASE_URL', url(/^https?$/), {
    purpose: 'Endpoint that ranks the best hits anew, in place of the vectors of tokens: POST to this address /rerank.',
    format: 'http(s) address without /rerank, such as https://api.cohere.com/v2',
  }),
  rerankModel: optional('RERANK_MODEL', text, {
    purpose: 'Model of that endpoint.',
    format: 'name that the endpoint knows',
    requiredWhen: 'RERANK_BASE_URL is set',
  }),
  rerankApiKey: optional('RERANK_API_KEY', text, { purpose: 'Key of that endpoint.', format: 'text' }),
  rerankTimeoutMs: always('RERANK_TIMEOUT_MS', '2000', whole(10, 60_000), {
    purpose: 'Longest that a search waits for that endpoint.',
    format: 'milliseconds',
  }),
  fetchAllowHosts: always('FETCH_ALLOW_HOSTS', '', list, {
    purpose: 'Hosts that may be fetched from although their address is private.',
    format: 'list with commas of host or host:port',
  }),
  sourceS3Buckets: always('SOURCE_S3_BUCKETS', '', allowedBuckets, {
    purpose:
      'Buckets that tenants may have documents read from, for the API and workers of tier fetch; without it sources of type s3 are refused. Never the bucket of the blob store.',
    format: 'list with commas of tenant:bucket or tenant:bucket/prefix; * for every tenant',
  }),
  sourceS3Endpoint: optional('SOURCE_S3_ENDPOINT', url(/^https?$/), {
    purpose: "Address of the S3 server of those buckets, other than Amazon's, for tier fetch.",
    format: 'http(s) address',
  }),
  sourceS3Region: always('SOURCE_S3_REGION', 'us-east-1', text, {
    purpose: 'Region of those buckets.',
    format: 'name',
  }),
  sourceS3AccessKeyId: optional('SOURCE_S3_ACCESS_KEY_ID', text, {
    purpose: 'Key for those buckets: may read and list, and nothing else.',
    format: 'text',
    defaultDescription: "what the AWS SDK finds: the environment, shared files, the pod's or machine's role",
  }),
  sourceS3SecretAccessKey: optional('SOURCE_S3_SECRET_ACCESS_KEY', text, {
    purpose: 'Secret of that key.',
    format: 'text',
    requiredWhen: 'SOURCE_S3_ACCESS_KEY_ID is set',
  }),
  sourceS3ForcePathStyle: optional('SOURCE_S3_FORCE_PATH_STYLE', flag, {
    purpose: 'Name those buckets in the path of the address and not in its host name.',
    format: 'true or false',
    defaultDescription: 'true where SOURCE_S3_ENDPOINT is set',
  }),
  sourceS3MaxObjects: always('SOURCE_S3_MAX_OBJECTS', '10000', whole(1, 100_000), {
    purpose: 'Most objects that one prefix of a bucket may bring.',
    format: 'objects',
  }),
  sourceS3MaxBytes: bytes(
    'SOURCE_S3_MAX_BYTES',
    10 * 1024 * megabyte,
    'Most bytes that the objects of one prefix may have together.',
  ),
  webhookSecret: optional('WEBHOOK_SECRET', z.string().min(32, 'has fewer than 32 characters'), {
    purpose:
      'Key that signs the calls of webhooks, for the API and workers of tier fetch; without it a callbackUrl is refused.',
    format: 'at least 32 characters, random',
    defaultDescription: 'none; make up makes one and keeps it in DATA_DIR',
  }),
  webhookTimeoutMs: always('WEBHOOK_TIMEOUT_MS', '10000', whole(100, 240_000), {
    purpose: 'Longest that one call of a webhook may take.',
    format: 'milliseconds',
  }),
  webhookBackoffMs: always('WEBHOOK_BACKOFF_MS', '5000', whole(10, 3_600_000), {
    purpose: 'Least time between two attempts at a webhook; doubles, up to an hour.',
    format: 'milliseconds',
  }),
  webhookRetryMs: always('WEBHOOK_RETRY_MS', '86400000', whole(0, 30 * 86_400_000), {
    purpose: 'How long a webhook that does not answer is tried.',
    format: 'milliseconds',
  }),
  maxFileBytes: bytes('MAX_FILE_BYTES', 100 * megabyte, 'Largest file that is accepted.'),
  maxImportBytes: bytes('MAX_IMPORT_BYTES', 4096 * megabyte, 'Largest archive of a namespace that is imported.'),
  maxJsonBytes: bytes('MAX_JSON_BYTES', 32 * megabyte, 'Largest JSON body that is accepted.'),
  maxInflatedBytes: bytes('MAX_INFLATED_BYTES', 200 * megabyte, 'Most bytes that a packed document may unpack to.'),
  maxPages: always('MAX_PAGES', '5000', whole(1, 1_000_000), {
    purpose: 'Most pages that a document may have.',
    format: 'pages',
  }),
  maxImagePixels: always('MAX_IMAGE_PIXELS', '50000000', whole(1, 10 ** 9), {
    purpose: 'Most pixels that an image may have.',
    format: 'pixels',
  }),
  pageTimeoutMs: always('PAGE_TIMEOUT_MS', '60000', whole(100, 3_600_000), {
    purpose: 'Longest that one page may take in parsing or OCR.',
    format: 'milliseconds',
  }),
  quotaRequests: quota('QUOTA_REQUESTS_PER_MINUTE', 'requests', 'Most requests of a tenant in a minute.'),
  quotaBytes: quota('QUOTA_BYTES_PER_DAY', 'bytes', 'Most bytes of documents that a tenant brings in a day.'),
  quotaPages: quota('QUOTA_PAGES_PER_DAY', 'pages', 'Most pages that are parsed for a tenant in a day.'),
  quotaTokens: quota(
    'QUOTA_TOKENS_PER_DAY',
    'tokens',
    'Most tokens that models embed, read and write for a tenant in a day.',
  ),
  versionRetentionDays: always('VERSION_RETENTION_DAYS', '30', whole(0, 36_500), {
    purpose:
      'How long a version is kept after a newer one has replaced it, and how far back asOf reaches. Vectors of a model that a namespace has left are kept as long, and a day at least.',
    format: 'days',
  }),
  jobRetentionDays: always('JOB_RETENTION_DAYS', '30', whole(2, 36_500), {
    purpose:
      'How long a job can be asked for after its document was deleted, or after it ended where its version has expired or it brought many documents; and a batch after it was made.',
    format: 'days',
  }),
  embedProcesses: always('EMBED_PROCESSES', cores, whole(1, 256), {
    purpose: 'Processes that embed, in a worker of tier embed.',
    format: 'count',
    defaultDescription: 'number of cores',
  }),
  ocrProcesses: always('OCR_PROCESSES', cores, whole(1, 256), {
    purpose: 'Processes that read images, in a worker of tier ocr.',
    format: 'count',
    defaultDescription: 'number of cores',
  }),
  idempotencyTimeoutMs: always('IDEMPOTENCY_TIMEOUT_MS', '60000', whole(100, 3_600_000), {
    purpose: 'After how long a request with an Idempotency-Key that was never answered counts as dead.',
    format: 'milliseconds',
  }),
  drainMs: always('DRAIN_MS', '2000', whole(0, 600_000), {
    purpose:
      'How long an API that is ending says so on /health/ready before it stops listening; longer than the probe interval.',
    format: 'milliseconds',
  }),
  watchdogAfterMs: always('WATCHDOG_AFTER_MS', '60000', whole(1000, 3_600_000), {
    purpose: 'A worker that takes no job for so long while some wait, and while Redis works, ends and is started anew.',
    format: 'milliseconds',
  }),
  shutdownGraceMs: always('SHUTDOWN_GRACE_MS', '15000', whole(0, 3_600_000), {
    purpose: 'Longest that a process takes to end in order once it was asked to.',
    format: 'milliseconds',
  }),
  exitWithParent: always('EXIT_WITH_PARENT', 'false', flag, {
    purpose: 'End when the process that started this one is gone. `make up` sets it.',
    format: 'true or false',
  }),
  otlpEndpoint: optional('OTEL_EXPORTER_OTLP_ENDPOINT', url(/^https?$/), {
    purpose: 'Collector that takes traces by OTLP over HTTP, at this address with /v1/traces.',
    format: 'http(s) address, such as http://otel-collector:4318',
    defaultDescription: 'none; nothing is traced',
  }),
  otlpHeaders: always('OTEL_EXPORTER_OTLP_HEADERS', '', headerList, {
    purpose: 'What that collector wants beside, such as its key.',
    format: 'list with commas of name=value, percent-encoded',
  }),
  traceRatio: always('OTEL_TRACES_SAMPLER_ARG', '1', share, {
    purpose: 'How many of the traces that begin here are kept; those of a caller are kept as the caller says.',
    format: 'share from 0 to 1',
  }),
  logLevel: always('LOG_LEVEL', 'info', z.enum(['error', 'warn', 'info', 'debug'], 'is no level'), {
    purpose: 'Least level that is logged.',
    format: 'error, warn, info or debug',
    requiredInProduction: true,
  }),
  logFormat: always('LOG_FORMAT', 'json', z.enum(['json', 'pretty'], 'is neither json nor pretty'), {
    purpose: 'One JSON object a line, or text for people.',
    format: 'json or pretty',
  }),
} as const;
