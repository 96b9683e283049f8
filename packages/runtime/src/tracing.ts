import { type Attributes, type Span, SpanStatusCode, trace } from '@opentelemetry/api';

/** Names the tracer of the whole service. */
const tracerName = 'semantic-memory';

/**
 * Runs `work` in a span that ends with it. An error is recorded by its name and code only: messages may quote input.
 * Without a tracing SDK in the process this costs next to nothing.
 */
export async function inSpan<Result>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  return trace.getTracer(tracerName).startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      const { name: type = 'Error', code } = error as { name?: string; code?: string };
      span.setAttribute('error.type', code ?? type);
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}
