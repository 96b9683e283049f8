import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

/** Names the tracer of the whole service. */
const tracerName = 'semantic-memory';

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

export interface SpanOptions {
  readonly attributes?: Attributes;
  /** `internal` unless given. */
  readonly kind?: keyof typeof kinds;
  /** A `traceparent` from another process; the active span where it is absent or malformed. */
  readonly parent?: string | undefined;
}

/** A span whose end is not the end of one function. */
export interface OpenSpan {
  /** As the header `traceparent` carries it; undefined where nothing is traced. */
  readonly traceparent: string | undefined;
  /** Runs `work` with this as the active span. */
  within<Result>(work: () => Result): Result;
  /** Later attributes; undefined ones are left out. */
  add(attributes: Attributes): void;
  rename(name: string): void;
  /** Records an error by its name and code only: messages may quote input. One that makes way for others is none. */
  fail(error: unknown): void;
  end(): void;
}

/** Begins a span. Without a tracing SDK in the process this costs next to nothing. */
export function openSpan(name: string, { attributes = {}, kind = 'internal', parent }: SpanOptions): OpenSpan {
  const outer = contextOf(parent) ?? context.active();
  const span = trace.getTracer(tracerName).startSpan(name, { kind: kinds[kind], attributes }, outer);
  const inner = trace.setSpan(outer, span);
  return {
    traceparent: traceparentOf(span),
    within: (work) => context.with(inner, work),
    add: (more) => void span.setAttributes(more),
    rename: (better) => void span.updateName(better),
    fail(error) {
      const {
        name: type = 'Error',
        code,
        retry,
      } = error as { name?: string; code?: string; retry?: { kind?: string } };
      if (retry?.kind === 'yield') return;
      span.setAttribute('error.type', code ?? type);
      span.setStatus({ code: SpanStatusCode.ERROR });
    },
    end: () => span.end(),
  };
}

/** Runs `work` in a span that ends with it and fails as it does. */
export async function inSpan<Result>(
  name: string,
  options: SpanOptions,
  work: (span: OpenSpan) => Promise<Result>,
): Promise<Result> {
  const span = openSpan(name, options);
  try {
    return await span.within(() => work(span));
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    span.end();
  }
}

function traceparentOf(span: Span): string | undefined {
  const own = span.spanContext();
  if (!isSpanContextValid(own)) return undefined;
  return `00-${own.traceId}-${own.spanId}-${own.traceFlags.toString(16).padStart(2, '0')}`;
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
const traceparentPattern = /^(?!ff)[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-.*)?$/;

function contextOf(traceparent: string | undefined): Context | undefined {
  const [, traceId = '', spanId = '', flags = ''] = traceparentPattern.exec(traceparent ?? '') ?? [];
  const remote = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(remote) ? trace.setSpanContext(context.active(), remote) : undefined;
}
