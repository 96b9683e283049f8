import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readiness } from './dependency-checks.ts';

export interface MetricsServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly metrics: { metricsText(): Promise<string>; readonly contentType: string };
  /** Workers answer their health checks here, having no other port. */
  readonly health?: {
    /** Facts for the liveness answer; that it is answered at all says that the event loop runs. */
    readonly live: () => Readonly<Record<string, unknown>>;
    readonly ready: () => Promise<Readiness>;
  };
  /** Whether what is loaded at the start (the models) is there; for startup probes, on `/health/started`. */
  readonly started?: () => boolean;
}

export interface MetricsServer {
  /** The port that was taken. */
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `/metrics`, `/health/live` and `/health/ready` where `health` is given, and `/health/started` where `started` is.
 * Rejects where the port is taken.
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendJson(response, 405, { state: 'method not allowed' });
    } else if (path === '/metrics') {
      void sendMetrics(response, options.metrics);
    } else if (path === '/health/live' && options.health) {
      sendJson(response, 200, { state: 'live', ...options.health.live() });
    } else if (path === '/health/ready' && options.health) {
      void sendReadiness(response, options.health.ready);
    } else if (path === '/health/started' && options.started) {
      const started = options.started();
      sendJson(response, started ? 200 : 503, { state: started ? 'started' : 'starting' });
    } else {
      sendJson(response, 404, { state: 'not found' });
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function sendMetrics(response: ServerResponse, metrics: MetricsServerOptions['metrics']): Promise<void> {
  try {
    const text = await metrics.metricsText();
    response.writeHead(200, { 'content-type': metrics.contentType }).end(text);
  } catch (error) {
    sendJson(response, 500, { state: 'failed', message: String(error) });
  }
}

async function sendReadiness(response: ServerResponse, ready: () => Promise<Readiness>): Promise<void> {
  try {
    const readiness = await ready();
    sendJson(response, readiness.ready ? 200 : 503, { state: readiness.ready ? 'ready' : 'not ready', ...readiness });
  } catch (error) {
    sendJson(response, 503, { state: 'not ready', message: String(error) });
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}
