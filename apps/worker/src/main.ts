import { openBlobStore } from '@semantic-memory/adapters/blobs/open-blob-store';
import { guardBlobStore } from '@semantic-memory/adapters/breaker/guarded-blob-store';
import { createBullmqQueue } from '@semantic-memory/adapters/bullmq/job-queue';
import { startTierWorker } from '@semantic-memory/adapters/bullmq/tier-worker';
import { startWatchdog } from '@semantic-memory/adapters/bullmq/watchdog';
import { createCacheClearing } from '@semantic-memory/adapters/cache/cache-clearing';
import { isolationReport } from '@semantic-memory/adapters/child/isolation';
import { createChromaIndex } from '@semantic-memory/adapters/chroma/vector-index';
import { createEmbedders } from '@semantic-memory/adapters/embedders/embedders';
import { createGitFetcher } from '@semantic-memory/adapters/git/git-fetcher';
import { createOcrEngine } from '@semantic-memory/adapters/ocr/ocr-engine';
import { createTokenizer } from '@semantic-memory/adapters/onnx/tokenizer';
import { createChildParser } from '@semantic-memory/adapters/parse/parser';
import { createRedisLedger } from '@semantic-memory/adapters/redis/ledger';
import { createRedisLexicalIndex } from '@semantic-memory/adapters/redis/lexical-index';
import { createRedisQuotas } from '@semantic-memory/adapters/redis/quotas';
import { createRedisReplyBox } from '@semantic-memory/adapters/redis/reply-box';
import { createS3ObjectFetcher } from '@semantic-memory/adapters/s3/object-fetcher';
import { readTar } from '@semantic-memory/adapters/tar/read-tar';
import { createWebFetcher } from '@semantic-memory/adapters/web/web-fetcher';
import { createWebhookSender } from '@semantic-memory/adapters/web/webhook-sender';
import { breakerMetric } from '@semantic-memory/runtime/breaker-metric';
import { readConfigOrExit } from '@semantic-memory/runtime/config';
import { checkDependencies, type DependencyCheck } from '@semantic-memory/runtime/dependency-checks';
import { watchEventLoop } from '@semantic-memory/runtime/event-loop';
import { createLogger } from '@semantic-memory/runtime/logger';
import { createMetrics } from '@semantic-memory/runtime/metrics';
import { startMetricsServer } from '@semantic-memory/runtime/metrics-server';
import { createShutdown, onParentGone } from '@semantic-memory/runtime/shutdown';
import { startTracing } from '@semantic-memory/runtime/start-tracing';
import { traceEmbedders } from '@semantic-memory/runtime/traced-embedder';
import { messagingSpan, traceQueue } from '@semantic-memory/runtime/traced-queue';
import { traceLexicalIndex } from '@semantic-memory/runtime/traced-search';
import { traceVectorIndex } from '@semantic-memory/runtime/traced-vector-index';
import { inSpan } from '@semantic-memory/runtime/tracing';
import { createIndexWriter } from '@semantic-memory/shared/ingest/index/index-writer';
import { createModelDimensions } from '@semantic-memory/shared/ingest/index/model-dimension';
import { createCancellationWatch } from '@semantic-memory/shared/ingest/jobs/cancellation-watch';
import { askReconcile } from '@semantic-memory/shared/ingest/recovery/ask-reconcile';
import { systemClock } from '@semantic-memory/shared/ports/clock';
import { concurrencyOf, guestPlacesOf, indexGroupOf } from './concurrency.ts';
import { createHandlers, dispatch, type HandlerDeps } from './handlers.ts';
import { startReconciling } from './reconciling.ts';
import { speedsOf } from './speeds.ts';

/** The longest that a health check waits for one dependency. */
const dependencyTimeoutMs = 2_000;
/** For closing connections and children after the running steps have had their grace. */
const closingMs = 5_000;

/** The queue edge: consumes the tiers that TIERS names and runs the shared logic. */
const config = readConfigOrExit(process.env);
const logger = createLogger({ level: config.logLevel, format: config.logFormat, module: 'worker' });
const closeTracing = config.tracing ? await startTracing({ ...config.tracing, service: 'worker', logger }) : undefined;
const metrics = createMetrics({ logger, does: { tiers: config.tiers, embeddingModel: config.embeddingModel } });

const { blobs: store, close: closeBlobs } = await openBlobStore({ ...config, logger });
const breaker = breakerMetric(metrics);
const blobs = guardBlobStore(store, breaker('blobs'));
const redis = { url: config.redisUrl, prefix: config.queuePrefix, logger };
const ledger = createRedisLedger({ ...redis, onBreakerState: breaker('redis') });
const lexical = traceLexicalIndex(createRedisLexicalIndex(redis));
const quotas = config.quotas && createRedisQuotas({ ...redis, limits: config.quotas });
const replies = createRedisReplyBox(redis);
const queue = traceQueue(createBullmqQueue({ ...redis, onBreakerState: breaker('redis_queue') }));
const sayChromaState = breaker('chroma');
const vectors = traceVectorIndex(
  createChromaIndex({
    host: config.chromaHost,
    port: config.chromaPort,
    ssl: config.chromaSsl,
    apiKey: config.chromaApiKey,
    tenant: config.chromaTenant,
    database: config.chromaDatabase,
    onBreakerState: (state) => {
      sayChromaState(state);
      // What was lost while it was away, or with its folder, is brought back.
      if (state === 'closed') askReconcile(queue, logger, 'index');
    },
    onCollectionMade: () => askReconcile(queue, logger, 'index'),
  }),
);
// Deletes that were interrupted are finished by the tier maintenance.
const cache =
  config.cache && config.tiers.includes('maintenance')
    ? createCacheClearing({ ...redis, url: config.cache.url, onBreakerState: breaker('cache') })
    : undefined;
const embedders = createEmbedders({
  processes: config.embedProcesses,
  lateInteraction: config.lateInteraction,
  background: true,
  openai: config.openai && {
    ...config.openai,
    timeoutMs: config.modelTimeoutMs,
    dimensions: createModelDimensions(blobs),
    onBreakerState: breaker('embeddings'),
  },
});
const parser = createChildParser({ pageMs: config.pageTimeoutMs });
const ocr = createOcrEngine({ processes: config.ocrProcesses });
const objects = createS3ObjectFetcher(config.sourceS3);
const cancellations = createCancellationWatch({ ledger, logger });

const deps: HandlerDeps = {
  blobs,
  ledger,
  queue,
  quotas,
  clock: systemClock,
  metrics,
  logger,
  embeddingModel: config.embeddingModel,
  web: createWebFetcher({ allowHosts: config.fetchAllowHosts }),
  git: createGitFetcher({ allowHosts: config.fetchAllowHosts }),
  objects,
  allowedBuckets: config.sourceS3.allowed,
  readArchive: readTar,
  parser,
  ocr,
  tokenizer: createTokenizer(),
  embedderFor: traceEmbedders(embedders.embedderFor),
  vectors,
  indexWriter: createIndexWriter(vectors, { wantedEntries: indexGroupOf(config.tiers) }),
  lexical,
  cache,
  limits: {
    maxBytes: config.maxFileBytes,
    maxPages: config.maxPages,
    maxInflatedBytes: config.maxInflatedBytes,
    maxImagePixels: config.maxImagePixels,
    pageMs: config.pageTimeoutMs,
    fetchMs: 10 * 60_000,
    maxObjects: config.sourceS3.maxObjects,
    maxObjectsBytes: config.sourceS3.maxBytes,
  },
  cancellations,
  webhooks: {
    sender: createWebhookSender({ allowHosts: config.fetchAllowHosts }),
    secret: config.webhookSecret,
    timeoutMs: config.webhookTimeoutMs,
    backoffMs: config.webhookBackoffMs,
    retryMs: config.webhookRetryMs,
  },
  recovery: ledger,
  replies,
  speeds: speedsOf(config),
  versionRetentionMs: config.versionRetentionDays * 24 * 3_600_000,
  jobRetentionMs: config.jobRetentionDays * 24 * 3_600_000,
};

const handlers = createHandlers(deps);
const workers = config.tiers.map((tier) =>
  startTierWorker({
    url: config.redisUrl,
    prefix: config.queuePrefix,
    tier,
    concurrency: concurrencyOf(tier, config),
    guestPlaces: guestPlacesOf(tier),
    handle(job, delivery) {
      const { name, options } = messagingSpan('process', job);
      const inTrace = { ...options, parent: delivery.traceparent };
      return inSpan(name, inTrace, () => dispatch(handlers, job, delivery));
    },
    logger: logger.child({ tier }),
    metrics,
    desk: queue,
  }),
);

const loop = watchEventLoop();
let modelsLoading = config.tiers.includes('embed');
const checks: DependencyCheck[] = [
  { name: 'redis', check: () => ledger.check(), needed: true },
  { name: 'redisWrites', check: () => ledger.checkWrites(), needed: true },
  { name: 'blobs', check: () => blobs.check(), needed: true },
  { name: 'chroma', check: () => vectors.check(), needed: config.tiers.includes('index') },
];
const server = await startMetricsServer({
  host: config.host,
  port: config.metricsPort,
  metrics,
  health: {
    live: () => ({ tiers: config.tiers, eventLoopLagMs: loop.lagMs() }),
    ready: () => checkDependencies(checks, dependencyTimeoutMs),
  },
  started: () => !modelsLoading,
});
const stopWatchdog = startWatchdog({
  queue,
  checkWrites: () => ledger.checkWrites(),
  stuckAfterMs: config.watchdogAfterMs,
  workers,
  logger,
  onStuck: () => void shutdown.begin('a tier takes no jobs', 1),
});
const stopReconciling = config.tiers.includes('maintenance') ? startReconciling(deps) : () => {};

// Closed in the opposite order: what runs ends first, then what it stood on.
const shutdown = createShutdown({ logger, graceMs: config.shutdownGraceMs + closingMs });
shutdown.add('tracing', async () => closeTracing?.());
shutdown.add('metrics server', () => server.close());
shutdown.add('blobs', closeBlobs);
shutdown.add('ledger', () => ledger.close());
shutdown.add('lexical index', () => lexical.close());
shutdown.add('quotas', async () => quotas?.close());
shutdown.add('replies', () => replies.close());
shutdown.add('queue', () => queue.close());
shutdown.add('cache', async () => cache?.close());
shutdown.add('objects', () => objects.close());
shutdown.add('cancellations', () => cancellations.close());
shutdown.add('embedders', () => embedders.close());
shutdown.add('ocr', () => ocr.close());
shutdown.add('parser', () => parser.close());
shutdown.add('tiers', () => Promise.all(workers.map((worker) => worker.close(config.shutdownGraceMs))));
shutdown.add('reconciling', stopReconciling);
shutdown.add('watchdog', stopWatchdog);
if (config.exitWithParent) onParentGone(() => void shutdown.begin('the process that started this one is gone'));
// The first document should not wait for the model to load.
if (config.tiers.includes('embed')) {
  embedders
    .embedderFor(config.embeddingModel)
    .ready()
    .catch((error: unknown) => logger.warn('the embedding model is not ready', { error }))
    // Also where it cannot be loaded: starting the process anew would not bring it.
    .finally(() => {
      modelsLoading = false;
    });
}
// What strangers sent is read by children: whoever runs them should know what this host does not take from them.
if (config.tiers.some((tier) => tier === 'parse' || tier === 'ocr')) {
  void isolationReport().then(({ missing }) => {
    if (missing.length > 0) logger.warn('children are less isolated than they could be', { missing });
  });
}
logger.info('worker started', { tiers: config.tiers, metricsPort: server.port });
