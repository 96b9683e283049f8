import { openBlobStore } from '@semantic-memory/adapters/blobs/open-blob-store';
import { guardBlobStore } from '@semantic-memory/adapters/breaker/guarded-blob-store';
import { createBullmqQueue } from '@semantic-memory/adapters/bullmq/job-queue';
import { createTieredCache } from '@semantic-memory/adapters/cache/tiered-cache';
import { createChromaIndex } from '@semantic-memory/adapters/chroma/vector-index';
import { createEmbedders } from '@semantic-memory/adapters/embedders/embedders';
import { createTokenizer } from '@semantic-memory/adapters/onnx/tokenizer';
import { createRedisAnswerLog } from '@semantic-memory/adapters/redis/answer-log';
import { createRedisLedger } from '@semantic-memory/adapters/redis/ledger';
import { createRedisLexicalIndex } from '@semantic-memory/adapters/redis/lexical-index';
import { createRedisQuotas } from '@semantic-memory/adapters/redis/quotas';
import { createRedisReplyBox } from '@semantic-memory/adapters/redis/reply-box';
import { createEndpointReranker } from '@semantic-memory/adapters/rerank/endpoint';
import { readTar } from '@semantic-memory/adapters/tar/read-tar';
import { writeTar } from '@semantic-memory/adapters/tar/write-tar';
import { createWrittenHostCheck, parseFetchUrl } from '@semantic-memory/adapters/web/checked-host';
import { breakerMetric } from '@semantic-memory/runtime/breaker-metric';
import { readConfigOrExit } from '@semantic-memory/runtime/config';
import { watchEventLoop } from '@semantic-memory/runtime/event-loop';
import { createLogger } from '@semantic-memory/runtime/logger';
import { createMetrics } from '@semantic-memory/runtime/metrics';
import { startMetricsServer } from '@semantic-memory/runtime/metrics-server';
import { createShutdown, onParentGone } from '@semantic-memory/runtime/shutdown';
import { startTracing } from '@semantic-memory/runtime/start-tracing';
import { traceEmbedders } from '@semantic-memory/runtime/traced-embedder';
import { traceLanguageModel } from '@semantic-memory/runtime/traced-language-model';
import { traceQueue } from '@semantic-memory/runtime/traced-queue';
import { traceLexicalIndex, traceReranker } from '@semantic-memory/runtime/traced-search';
import { traceVectorIndex } from '@semantic-memory/runtime/traced-vector-index';
import { createModelDimensions } from '@semantic-memory/shared/ingest/index/model-dimension';
import { askReconcile } from '@semantic-memory/shared/ingest/recovery/ask-reconcile';
import { keepLedgerWhole } from '@semantic-memory/shared/ingest/recovery/keep-whole';
import { systemClock } from '@semantic-memory/shared/ports/clock';
import { createChunkShelf } from '@semantic-memory/shared/search/chunk-shelf';
import { createDocumentTable } from '@semantic-memory/shared/search/document-table';
import { createLateInteraction } from '@semantic-memory/shared/search/late-interaction/late-interaction';
import { createTokenVectorReader } from '@semantic-memory/shared/search/late-interaction/token-vectors';
import { createResultCache } from '@semantic-memory/shared/search/result-cache';
import { createApp } from './app.ts';
import { createTokenVerifier } from './auth.ts';
import { createLifecycle } from './lifecycle.ts';
import { startServer } from './server.ts';

const config = readConfigOrExit(process.env, { auth: true });
const logger = createLogger({ level: config.logLevel, format: config.logFormat, module: 'api' });
const shutdown = createShutdown({ logger, graceMs: config.drainMs + config.shutdownGraceMs + 5000 });
if (config.exitWithParent) onParentGone(() => void shutdown.begin('the parent process is gone'));

if (config.tracing) shutdown.add('tracing', await startTracing({ ...config.tracing, service: 'api', logger }));
const { blobs: store, close: closeBlobs } = await openBlobStore({ ...config, logger });
shutdown.add('blobs', closeBlobs);
const metrics = createMetrics({
  counts: () => queue.counts(),
  logger,
  volume: config.s3 ? undefined : { name: 'blobs', directory: config.blobDir },
  does: { api: true },
});
const breaker = breakerMetric(metrics);
const blobs = guardBlobStore(store, breaker('blobs'));
const redis = { url: config.redisUrl, prefix: config.queuePrefix, logger };
const ledger = createRedisLedger({ ...redis, onBreakerState: breaker('redis') });
shutdown.add('ledger', () => ledger.close());
const lexical = traceLexicalIndex(createRedisLexicalIndex(redis));
shutdown.add('lexical index', () => lexical.close());
const answerLog = createRedisAnswerLog(redis);
shutdown.add('answers', () => answerLog.close());
const replies = createRedisReplyBox(redis);
shutdown.add('replies', () => replies.close());
const quotas = config.quotas && createRedisQuotas({ ...redis, limits: config.quotas });
if (quotas) shutdown.add('quotas', () => quotas.close());
const queue = traceQueue(createBullmqQueue({ ...redis, onBreakerState: breaker('redis_queue') }));
shutdown.add('queue', () => queue.close());
const vectors = traceVectorIndex(
  createChromaIndex({
    host: config.chromaHost,
    port: config.chromaPort,
    ssl: config.chromaSsl,
    apiKey: config.chromaApiKey,
    tenant: config.chromaTenant,
    database: config.chromaDatabase,
    onBreakerState: breaker('chroma'),
  }),
);

const { cache: cacheConfig } = config;
const cache = cacheConfig && createTieredCache({ ...redis, ...cacheConfig, metrics, onBreakerState: breaker('cache') });
if (cache) shutdown.add('cache', () => cache.close());
const results = cache && createResultCache({ cache, clock: systemClock, ...cacheConfig });

// Queries are short: one process answers them faster than they come, and the main loop stays free.
const embedders = createEmbedders({
  processes: 1,
  lateInteraction: config.lateInteraction,
  openai: config.openai && {
    ...config.openai,
    timeoutMs: config.modelTimeoutMs,
    dimensions: createModelDimensions(blobs),
    onBreakerState: breaker('embeddings'),
  },
});
shutdown.add('embedders', () => embedders.close());
const languageModel = await openLanguageModel();
const tokenVectors = config.lateInteraction
  ? createTokenVectorReader({ blobs, maxBytes: config.tokenVectorCacheBytes })
  : undefined;
const reranker = config.reranker
  ? createEndpointReranker({ ...config.reranker, onBreakerState: breaker('reranker') })
  : tokenVectors && createLateInteraction(tokenVectors);

const checkHost = createWrittenHostCheck(config.fetchAllowHosts);
const loop = watchEventLoop();
const jobRetentionMs = config.jobRetentionDays * 24 * 3_600_000;
const lifecycle = createLifecycle();
let modelsLoading = true;
const app = createApp({
  blobs,
  ledger,
  recovery: ledger,
  answerLog,
  replies,
  quotas,
  queue,
  vectors,
  lexical,
  cache,
  results,
  clock: systemClock,
  metrics,
  logger,
  embeddingModel: config.embeddingModel,
  idempotencyTimeoutMs: config.idempotencyTimeoutMs,
  embedderFor: traceEmbedders(embedders.embedderFor),
  table: createDocumentTable({ ledger }),
  shelf: createChunkShelf({ maxBytes: config.chunkCacheBytes }),
  reranker: reranker && traceReranker(reranker),
  tokenVectors,
  languageModel,
  languageModelInputTokens: config.llmInputTokens,
  evidenceThresholds: config.evidenceThresholds,
  tokenizer: createTokenizer(),
  readArchive: readTar,
  writeArchive: writeTar,
  verifyToken: createTokenVerifier({
    jwtSecret: config.jwtSecret,
    jwksUrl: config.jwksUrl,
    audience: config.jwtAudience,
    issuer: config.jwtIssuer,
  }),
  lifecycle,
  dependencies: [
    { name: 'redis', check: () => ledger.check(), needed: true },
    // A Redis that is full still answers what is asked of it; documents are refused meanwhile.
    { name: 'redisWrites', check: () => ledger.checkWrites(), needed: false },
    { name: 'blobs', check: () => blobs.check(), needed: true },
    // Without it documents are still taken in, and wait.
    { name: 'chroma', check: () => vectors.check(), needed: false },
    // Without it each process has its own.
    ...(cache ? [{ name: 'cache', check: () => cache.check(), needed: false }] : []),
  ],
  eventLoopLagMs: () => loop.lagMs(),
  limits: {
    maxFileBytes: config.maxFileBytes,
    maxArchiveBytes: config.maxImportBytes,
    maxJsonBytes: config.maxJsonBytes,
    uploadIdleMs: 30_000,
    heartbeatMs: 15_000,
  },
  checkCallbackUrl: config.webhookSecret ? (url) => void checkHost(parseFetchUrl(url)) : undefined,
  allowedBuckets: config.sourceS3.allowed,
  corsOrigins: config.corsOrigins,
  onIndexLacking: atMostEvery(5_000, () => askReconcile(queue, logger, 'index')),
  versionRetentionMs: config.versionRetentionDays * 24 * 3_600_000,
  jobRetentionMs,
});
const ingest = { blobs, ledger, queue, clock: systemClock, metrics, logger, jobRetentionMs };
shutdown.add(
  'rebuild',
  keepLedgerWhole({ ...ingest, recovery: ledger }, { onRebuilt: () => askReconcile(queue, logger, 'rebuilt') }),
);

try {
  const metricsServer = await startMetricsServer({
    host: config.host,
    port: config.metricsPort,
    metrics,
    started: () => !modelsLoading,
  });
  shutdown.add('metrics server', () => metricsServer.close());
  const server = await startServer(app, lifecycle, { host: config.host, port: config.port });
  shutdown.add('server', () => server.close({ drainMs: config.drainMs, graceMs: config.shutdownGraceMs }));
  logger.info('api started', { host: config.host, port: server.port, metricsPort: metricsServer.port });
  // The first search should not wait for the model to load.
  embedders
    .embedderFor(config.embeddingModel)
    .ready()
    .catch((error: unknown) => logger.warn('the embedding model is not ready', { error }))
    // Also where it cannot be loaded: by words alone it can search.
    .finally(() => {
      modelsLoading = false;
    });
} catch (error) {
  logger.error('the api cannot start', { error });
  await shutdown.begin('the start failed', 1);
}

/** Loaded where it is configured only: it is the largest library of all. */
async function openLanguageModel() {
  const { openai, llmModel } = config;
  if (!openai || !llmModel) return undefined;
  const { createOpenaiLanguageModel } = await import('@semantic-memory/adapters/openai/language-model');
  const onBreakerState = breaker('language_model');
  return traceLanguageModel(
    createOpenaiLanguageModel({ ...openai, model: llmModel, stallMs: config.modelTimeoutMs, onBreakerState }),
  );
}

/** The first call of each period acts; every search of a namespace that has lost its index would. */
function atMostEvery(periodMs: number, act: () => void): () => void {
  let actedAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now - actedAt < periodMs) return;
    actedAt = now;
    act();
  };
}
