import { hostname } from 'node:os';
import { context, DiagLogLevel, diag, trace } from '@opentelemetry/api';
import type { Logger } from '@semantic-memory/shared/ports/logger';

export interface TracingOptions {
  /** Which process this is, such as `api`. */
  readonly service: string;
  /** Where a collector takes OTLP over HTTP, without `/v1/traces`. */
  readonly endpoint: string;
  /** What the collector wants beside, such as a key. */
  readonly headers: Readonly<Record<string, string>>;
  /** From 0 to 1: how many of the traces that begin here are kept. Those of a caller are kept as the caller says. */
  readonly sampleRatio: number;
  readonly logger: Logger;
}

/** How long finished spans are collected before they are sent. */
const sendEveryMs = 2000;
const sendWithinMs = 5000;

/**
 * Sends the spans of this process to a collector, from now on. A collector that is away costs its spans and a line in
 * the log; nothing waits for it.
 * @returns sends what is left, and ends
 */
export async function startTracing(options: TracingOptions): Promise<() => Promise<void>> {
  // Loaded where traces are wanted only.
  const [{ AsyncLocalStorageContextManager }, { OTLPTraceExporter }, { resourceFromAttributes }, sdk] =
    await Promise.all([
      import('@opentelemetry/context-async-hooks'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/sdk-trace'),
    ]);
  const { service, endpoint, headers, sampleRatio, logger } = options;
  const say = () => logger.warn('traces could not be sent', { endpoint: new URL(endpoint).host });
  // Of these the level lets errors through only.
  diag.setLogger(
    { error: say, warn: say, info: say, debug: say, verbose: say },
    { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
  );
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    headers: { ...headers },
    timeoutMillis: sendWithinMs,
  });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({
      'service.name': `semantic-memory-${service}`,
      'service.instance.id': `${hostname()}-${process.pid}`,
    }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(sampleRatio) }),
    spanProcessors: [
      new sdk.BatchSpanProcessor({ exporter, scheduledDelayMillis: sendEveryMs, exportTimeoutMillis: sendWithinMs }),
    ],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  // What is left may be refused as well: that is no reason to end otherwise than in order.
  return () => provider.shutdown().catch(say);
}
