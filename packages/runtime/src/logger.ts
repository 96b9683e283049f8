import type { Writable } from 'node:stream';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import winston from 'winston';

export interface LoggerOptions {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  /** JSON unless given: one object a line. */
  readonly format?: 'json' | 'pretty';
  /** Which part of the service speaks, such as `api` or `worker`. */
  readonly module: string;
  /** Standard output unless given. */
  readonly destination?: Writable;
}

/** What the code calls the fields, and what the lines do. */
const lineNames: Readonly<Record<string, string>> = {
  requestId: 'request_id',
  jobId: 'job_id',
  documentId: 'document_id',
};

/** Writes one line an event: timestamp, level, module, message, then the fields, then the span that is active. */
export function createLogger(options: LoggerOptions): Logger {
  const backend = winston.createLogger({
    level: options.level,
    format: winston.format.printf((info) => String(info.line)),
    transports: [new winston.transports.Stream({ stream: options.destination ?? process.stdout })],
  });
  const print = options.format === 'pretty' ? prettyLine : (line: Line) => JSON.stringify(line);

  const withFields = (bound: Record<string, unknown>): Logger => {
    const write = (level: LoggerOptions['level'], message: string, fields?: Record<string, unknown>) => {
      if (!backend.isLevelEnabled(level)) return;
      const { module = options.module, ...rest } = { ...bound, ...fields };
      const line = { timestamp: new Date().toISOString(), level, module, message, ...namedFields(rest), ...spanIds() };
      // The backend only sees the finished line: it would merge a field called `message` into the message.
      backend.log({ level, message: '', line: print(line) });
    };
    return {
      debug: (message, fields) => write('debug', message, fields),
      info: (message, fields) => write('info', message, fields),
      warn: (message, fields) => write('warn', message, fields),
      error: (message, fields) => write('error', message, fields),
      child: (fields) => withFields({ ...bound, ...fields }),
    };
  };
  return withFields({});
}

interface Line {
  readonly timestamp: string;
  readonly level: string;
  readonly module: unknown;
  readonly message: string;
  readonly [field: string]: unknown;
}

function namedFields(fields: Record<string, unknown>): Record<string, unknown> {
  const reserved = new Set(['timestamp', 'level', 'message']);
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      lineNames[name] ?? (reserved.has(name) ? `field_${name}` : name),
      value instanceof Error ? errorFields(value) : value,
    ]),
  );
}

function errorFields(error: Error, depth = 0): Record<string, unknown> {
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    ...(code === undefined ? {} : { code }),
    message: error.message,
    stack: error.stack,
    ...(error.cause instanceof Error && depth < 4 ? { cause: errorFields(error.cause, depth + 1) } : {}),
  };
}

function spanIds(): Record<string, string> {
  const context = trace.getActiveSpan()?.spanContext();
  return context && isSpanContextValid(context) ? { trace_id: context.traceId, span_id: context.spanId } : {};
}

function prettyLine({ timestamp, level, module, message, ...fields }: Line): string {
  const { error, ...rest } = fields as { error?: { message?: string; stack?: string } };
  const details = Object.entries(rest).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  const trouble = error ? `\n  ${error.stack ?? error.message ?? JSON.stringify(error)}` : '';
  return `${timestamp.slice(11, 23)} ${level.padEnd(5)} ${module}: ${message}${details.join('')}${trouble}`;
}
